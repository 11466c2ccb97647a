import type {
  FigureRow,
  FigureSink,
  HeartbeatRow,
  LateEventRow,
  PeriodFigureRow,
  PersonRow,
  WindowFigureRow,
} from '#pipeline';
import type { CompactValue, Inserts } from '../clickhouse.js';
import { TableWriter } from './table-writer.js';

/** What is stored of each row, besides its version: columns are named as the fields they come from. */
export const FIGURE_COLUMNS = {
  window_figures: [
    ...(['brand', 'channel', 'window', 'end', 'generation', 'partition', 'status', 'watermark'] as const),
    ...(['visitors', 'active', 'active_related', 'visitors_related', 'capital'] as const),
    ...(['capital_reachable', 'orders', 'buyers', 'gmv_gross_minor', 'refunds_minor'] as const),
  ],
  period_figures: [
    ...(['brand', 'channel', 'scheme_id', 'period_id', 'day', 'generation', 'partition'] as const),
    ...(['status', 'watermark', 'capital', 'capital_base', 'new_relations', 'lost_relations'] as const),
    ...(['orders', 'gmv_gross_minor', 'refunds_minor', 'deepened', 'deepened_cohort', 'tiers'] as const),
  ],
  persons: [
    ...(['brand', 'scheme_id', 'person', 'generation', 'partition', 'period_id', 'tier'] as const),
    ...(['purchase_days', 'orders', 'own_value_minor', 'first_purchase', 'last_purchase'] as const),
    ...(['is_member', 'gone'] as const),
  ],
  window_heartbeats: ['window', 'generation', 'partition', 'end'],
  late_events: [
    ...(['brand', 'channel', 'window', 'event_id', 'person', 'at', 'arrived_at'] as const),
    ...(['missed_from', 'missed_to', 'partition', 'generation'] as const),
  ],
} as const satisfies Readonly<Record<FigureRow['table'], readonly string[]>>;

type RowOf<Table extends FigureRow['table']> = Extract<FigureRow, { readonly table: Table }>;
type Field<Table extends FigureRow['table']> = Exclude<keyof RowOf<Table>, 'table' | 'version'>;

/** Does not compile where a field of the row has no column. */
function writerOf<Table extends FigureRow['table']>(
  clickhouse: Inserts,
  table: Table,
  columns: readonly Field<Table>[] &
    ([Exclude<Field<Table>, (typeof FIGURE_COLUMNS)[Table][number]>] extends [never] ? unknown : never),
): TableWriter<RowOf<Table>> {
  const names = columns.map(String);
  return new TableWriter<RowOf<Table>>(clickhouse, `gravity.${table}`, ['version', ...names], (row) => [
    row.version,
    ...columns.map((column) => cell(row[column])),
  ]);
}

function cell(value: unknown): CompactValue {
  if (value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
    return value;
  if (Array.isArray(value)) return value.map(Number);
  throw new TypeError(`a ${typeof value} cannot be a cell`);
}

/** Stores absolute figure rows. Writing them again, in any order, changes nothing: the highest version wins. */
export class ClickHouseFigureSink implements FigureSink {
  readonly #windows: TableWriter<WindowFigureRow>;
  readonly #periods: TableWriter<PeriodFigureRow>;
  readonly #persons: TableWriter<PersonRow>;
  readonly #heartbeats: TableWriter<HeartbeatRow>;
  readonly #late: TableWriter<LateEventRow>;

  constructor(clickhouse: Inserts) {
    const { window_figures, period_figures, persons, window_heartbeats, late_events } = FIGURE_COLUMNS;
    this.#windows = writerOf(clickhouse, 'window_figures', window_figures);
    this.#periods = writerOf(clickhouse, 'period_figures', period_figures);
    this.#persons = writerOf(clickhouse, 'persons', persons);
    this.#heartbeats = writerOf(clickhouse, 'window_heartbeats', window_heartbeats);
    this.#late = writerOf(clickhouse, 'late_events', late_events);
  }

  /** Heartbeats are written last: they say that the rows before them are there. */
  async write(rows: readonly FigureRow[]): Promise<void> {
    const windows: WindowFigureRow[] = [];
    const periods: PeriodFigureRow[] = [];
    const persons: PersonRow[] = [];
    const heartbeats: HeartbeatRow[] = [];
    const late: LateEventRow[] = [];
    for (const row of rows) {
      if (row.table === 'window_figures') windows.push(row);
      else if (row.table === 'period_figures') periods.push(row);
      else if (row.table === 'persons') persons.push(row);
      else if (row.table === 'window_heartbeats') heartbeats.push(row);
      else late.push(row);
    }
    await Promise.all([
      this.#windows.write(windows),
      this.#periods.write(periods),
      this.#persons.write(persons),
      this.#late.write(late),
    ]);
    await this.#heartbeats.write(heartbeats);
  }
}
