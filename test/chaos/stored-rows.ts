/** ClickHouse's figure rows, in the form that the fold's own have. */
import { FIGURE_COLUMNS, type ClickHouse } from '#clickhouse';
import type { FigureRow } from '#pipeline';
import { RecordingFigureSink } from '#testing';
import { figureRows } from '../../libs/testing/world-outcome.js';

/** DateTime64 columns. */
const TIMES: Readonly<Record<FigureRow['table'], readonly string[]>> = {
  window_figures: ['end', 'watermark'],
  period_figures: ['watermark'],
  persons: ['first_purchase', 'last_purchase'],
  window_heartbeats: ['end'],
  late_events: ['at', 'arrived_at', 'missed_from', 'missed_to'],
};
/** Everything else in a cell is a number. */
const TEXTS = new Set([
  ...['brand', 'channel', 'window', 'status', 'scheme_id', 'period_id', 'day', 'person', 'event_id'],
]);

/** All figure rows that say something, sorted, without what depends on when they were flushed. */
export async function storedRows(clickhouse: ClickHouse): Promise<readonly string[]> {
  const sink = new RecordingFigureSink();
  for (const [table, times] of Object.entries(TIMES) as [FigureRow['table'], readonly string[]][]) {
    const columns = ['version', ...FIGURE_COLUMNS[table]];
    const selected = columns.map((one) =>
      times.includes(one) ? `toUnixTimestamp64Milli(t.${one}) AS ${one}` : `t.${one} AS ${one}`,
    );
    const rows = await clickhouse.query({
      sql: `SELECT ${selected.join(', ')} FROM gravity.${table} AS t FINAL`,
      row: (found) => figureRow(table, columns, found as Readonly<Record<string, unknown>>),
    });
    await sink.write(rows);
  }
  return comparable(sink);
}

function figureRow(
  table: string,
  columns: readonly string[],
  found: Readonly<Record<string, unknown>>,
): FigureRow {
  const cells = columns.map((column): [string, unknown] => [column, cellOf(column, found[column])]);
  return { table, ...Object.fromEntries(cells) } as FigureRow;
}

function cellOf(column: string, cell: unknown): unknown {
  if (column === 'version') return BigInt(String(cell));
  if (cell === null || typeof cell === 'boolean' || TEXTS.has(column)) return cell;
  return Array.isArray(cell) ? cell.map(Number) : Number(cell);
}

/** Rows by name of their fields, since two makers may name them in different orders. */
export function comparable(sink: RecordingFigureSink): readonly string[] {
  return figureRows(sink)
    .map((row) => JSON.parse(row) as Readonly<Record<string, unknown>>)
    .map((row) => JSON.stringify(Object.entries(row).sort(([a], [b]) => (a < b ? -1 : 1))))
    .sort();
}
