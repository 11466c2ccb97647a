/** The stored form of an outbox row: versioned JSON. */
import type { FigureRow } from './rows.js';

/** Identity of a row: what ClickHouse would replace it by. */
export function rowKey(row: FigureRow): string {
  const { generation } = row;
  switch (row.table) {
    case 'window_figures':
      return `w\0${generation}\0${row.brand}\0${row.channel}\0${row.window}\0${row.end}`;
    case 'period_figures':
      return `f\0${generation}\0${row.brand}\0${row.channel}\0${row.scheme_id}\0${row.period_id}\0${row.day}`;
    case 'persons':
      return `p\0${generation}\0${row.brand}\0${row.scheme_id}\0${row.person}`;
    case 'window_heartbeats':
      return `h\0${generation}\0${row.window}`;
    case 'late_events':
      return `l\0${generation}\0${row.brand}\0${row.window}\0${row.event_id}\0${row.person}`;
  }
}

export function encodeRow(row: FigureRow): Buffer {
  return Buffer.from(JSON.stringify({ ...row, version: row.version.toString() }));
}

/** @throws SyntaxError on bytes that this function's twin did not write (the store checks its integrity) */
export function decodeRow(value: Buffer): FigureRow {
  const row = JSON.parse(value.toString('utf8')) as FigureRow & { version: string };
  return { ...row, version: BigInt(row.version) };
}
