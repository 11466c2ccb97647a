/** One dead letter for a person to read. */
import type { SourceTouchpoint } from '#domain';
import { wholeValue, type SourceCodec, type StoredDeadLetter, type Log } from '#pipeline';
import { hexDump } from './hex-dump.js';
import { letterId } from './letter-id.js';
import { SOURCES } from './letter-log.js';

/** @returns pieces that together are the text */
export async function* shownLetter(
  letter: StoredDeadLetter,
  { log, source: codec }: { readonly log: Log; readonly source: SourceCodec },
): AsyncGenerator<string> {
  const { source, arrivedAt, reason, detail, key, sizeBytes, sha256 } = letter;
  const value = await wholeValue(letter, log);
  const kept = value ?? letter.value ?? Buffer.alloc(0);
  const isCut = value === undefined;
  const fields = {
    id: letterId(source),
    ...{ topic: source.topic, partition: source.partition, offset: source.offset },
    'arrived at': new Date(arrivedAt).toISOString(),
    reason,
    detail,
    bytes: isCut ? `${sizeBytes}, of which the first ${kept.length} were kept` : String(sizeBytes),
    sha256,
    key: key === null ? 'none' : `${key.toString('hex')} ${JSON.stringify(key.toString('utf8'))}`,
  };
  for (const [name, said] of Object.entries(fields)) yield `${name.padEnd(11)}  ${said}\n`;
  yield '\n';
  yield* hexDump(kept);
  // The dump shows what a row of a recorded file says.
  if (isCut || !SOURCES.has(source.topic)) return;
  await codec.prepare([value]);
  const decoded = codec.decode(source.topic, value);
  yield decoded.ok
    ? `\nReads as:\n${eventText(decoded.event)}\n`
    : `\nCannot be read as an event: ${decoded.reject.reason}, ${decoded.reject.detail}\n`;
}

/** What it says; nulls say nothing. */
function eventText(event: SourceTouchpoint): string {
  return JSON.stringify(event, (_, field: unknown) => (field === null ? undefined : field), 2);
}
