import { once } from 'node:events';
import type { Response } from 'express';

const ROWS_AT_A_TIME = 2_000;

/** Sends `{…head, [name]: rows}` piece by piece, no faster than it is read, so that it is never one string. */
export async function streamAnswer(
  response: Response,
  head: Readonly<Record<string, unknown>>,
  name: string,
  rows: readonly unknown[],
): Promise<void> {
  response.type('application/json');
  response.write(`${JSON.stringify(head).slice(0, -1)},${JSON.stringify(name)}:[`);
  for (let from = 0; from < rows.length && !response.closed; from += ROWS_AT_A_TIME) {
    const piece = rows.slice(from, from + ROWS_AT_A_TIME).map((row) => JSON.stringify(row));
    const isFlowing = response.write(`${from === 0 ? '' : ','}\n${piece.join(',\n')}`);
    if (!isFlowing) await Promise.race([once(response, 'drain'), once(response, 'close')]);
  }
  response.end(']}\n');
}

/** Aborted when whoever asked has left. */
export function goneSignal(response: Response): AbortSignal {
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  return gone.signal;
}
