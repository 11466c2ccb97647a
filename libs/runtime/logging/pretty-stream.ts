import type { DestinationStream } from 'pino';

const LEVELS: Readonly<Record<number, readonly [name: string, colour: number]>> = {
  10: ['TRACE', 90],
  20: ['DEBUG', 90],
  30: ['INFO ', 32],
  40: ['WARN ', 33],
  50: ['ERROR', 31],
  60: ['FATAL', 35],
};
const PLAIN_KEYS = new Set(['level', 'time', 'pid', 'hostname', 'service', 'part', 'msg', 'err']);

/** Turns the lines of the structured log into lines for a person at a terminal. */
export function prettyStream(out: DestinationStream): DestinationStream {
  return { write: (line) => out.write(prettyLine(line)) };
}

/** One structured line as `time LEVEL part message key=value`, an error's stack below it. */
export function prettyLine(line: string): string {
  const entry: unknown = JSON.parse(line);
  if (!isFields(entry)) return line;
  const [level, colour] = LEVELS[Number(entry.level)] ?? ['     ', 0];
  const time = typeof entry.time === 'string' ? entry.time.slice(11, 23) : '';
  const part = typeof entry.part === 'string' ? entry.part : entry.service;
  const fields = Object.entries(entry)
    .filter(([key]) => !PLAIN_KEYS.has(key))
    .map(([key, value]) => ` ${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join('');
  return `${time} \u001b[${colour}m${level}\u001b[0m \u001b[36m${textOf(part)}\u001b[0m ${textOf(entry.msg)}\u001b[90m${fields}\u001b[0m\n${stackOf(entry.err)}`;
}

function stackOf(error: unknown): string {
  if (!isFields(error)) return '';
  const text = typeof error.stack === 'string' ? error.stack : textOf(error.message);
  return `${text.replace(/^/gm, '    ')}\n${isFields(error.cause) ? `    caused by:\n${stackOf(error.cause)}` : ''}`;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function isFields(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
