/** The stored form of an outbox row: versioned JSON. */
import type { FigureRow } from './rows.js';

/** Identity of a row: what ClickHouse would replace it by. */
export function rowKey(row: FigureRow): string {
  switch (row.table) {
    case 'window_figures':
      return key('w', row.generation, row.brand, row.channel, row.window, row.end);
    case 'period_figures':
      return key('f', row.generation, row.brand, row.channel, row.scheme_id, row.period_id, row.day);
    case 'persons':
      return key('p', row.generation, row.brand, row.scheme_id, row.person);
    case 'window_heartbeats':
      return key('h', row.generation, row.window);
    case 'late_events':
      return key('l', row.generation, row.brand, row.window, row.event_id, row.person);
  }
}

function key(...parts: readonly (string | number)[]): string {
  return parts.join('\0');
}

export function encodeRow(row: FigureRow): Buffer {
  return Buffer.from(JSON.stringify({ ...row, version: row.version.toString() }));
}

/** @throws SyntaxError on bytes that this function's twin did not write (the store checks its integrity) */
export function decodeRow(value: Buffer): FigureRow {
  const row = JSON.parse(value.toString('utf8')) as FigureRow & { version: string };
  return { ...row, version: BigInt(row.version) };
}
