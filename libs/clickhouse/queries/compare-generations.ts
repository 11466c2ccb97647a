/** What a rebuild says otherwise than the figures that are shown: the same rows side by side, by SQL. */
import type { WindowSpec } from '#domain';
import type { ClickHouse } from '../clickhouse.js';
import { integer, rowOf, text } from '../row-reader.js';
import { WINDOW_COUNTS } from './window-counts.js';
import { heartbeats } from './window-figures.js';

export interface FigureDifference {
  readonly brand: string;
  readonly channel: string;
  /** `window 5m`, `period rolling:30d`. */
  readonly what: string;
  readonly figure: string;
  /** Rows (ends or days, by partition) that differ. */
  readonly rows: number;
  /** The newest of them: end of the window (ISO) or local day. */
  readonly newest: string;
  /** Sums over those rows. */
  readonly shown: number;
  readonly rebuilt: number;
}

export interface GenerationsCompared {
  /** Figures that were laid side by side. */
  readonly compared: number;
  /** Figures whose shown row is of a later position of the log than the rebuild has reached. */
  readonly movedOn: number;
  readonly differences: readonly FigureDifference[];
}

export interface GenerationsQuery {
  readonly shown: number;
  readonly rebuilt: number;
  readonly windows: readonly WindowSpec[];
  /** Partition → log offset up to which the rebuild is folded and stored. */
  readonly positions: ReadonlyMap<number, number>;
  readonly onProgress?: (done: number, of: number) => void;
}

const DAY_MS = 86_400_000;
/** How far back rows are compared, from the last end that both have closed: of windows, and days of schemes. */
export const COMPARED_WINDOW_MS = DAY_MS;
export const COMPARED_DAYS = 35;
const TIMEOUT_MS = 300_000;

const PERIOD_FIGURES = [
  ...(['capital', 'capital_base', 'new_relations', 'lost_relations', 'orders'] as const),
  ...(['gmv_gross_minor', 'refunds_minor', 'deepened', 'deepened_cohort'] as const),
];
const TIERS = [0, 1, 2, 3, 4, 5];
/** The bits of a version that are a position; those of a restated row, too. */
const POSITION = `bitAnd(version, ${2n ** 47n - 1n})`;
/** A row that is not there says zero. */
const SUMMED = (value: string, generation: string) =>
  `toInt64(sumIf(${value}, generation = {${generation}:UInt32}))`;

/**
 * Every brand and channel at all ends of the last day that both have closed, and on all days of the last weeks, by
 * partition. A shown row that was written at an earlier position than the rebuild has reached is still the newest of
 * its key, so it has to be equal.
 */
export async function compareGenerations(
  clickhouse: ClickHouse,
  query: GenerationsQuery,
): Promise<GenerationsCompared> {
  const { windows, onProgress } = query;
  let compared = 0;
  let movedOn = 0;
  const differences: FigureDifference[] = [];
  const add = (found: GenerationsCompared): void => {
    compared += found.compared;
    movedOn += found.movedOn;
    differences.push(...found.differences);
  };
  let to = Infinity;
  for (const [nth, window] of windows.entries()) {
    onProgress?.(nth, windows.length + 1);
    const closed = await closedByBoth(clickhouse, query, window);
    if (closed === null) continue;
    to = Math.min(to, closed);
    add(await compareRows(clickhouse, query, windowRows(window, closed)));
  }
  onProgress?.(windows.length, windows.length + 1);
  if (to !== Infinity) add(await compareRows(clickhouse, query, periodRows(to)));
  return { compared, movedOn, differences };
}

async function closedByBoth(
  clickhouse: ClickHouse,
  { shown, rebuilt }: GenerationsQuery,
  { id }: WindowSpec,
): Promise<number | null> {
  const was = await heartbeats(clickhouse, id, shown);
  const is = await heartbeats(clickhouse, id, rebuilt);
  return was === null || is === null ? null : Math.min(...was.closed.values(), ...is.closed.values());
}

/** Rows of one table, and how they are told apart. */
interface ComparedRows {
  readonly table: string;
  readonly what: string;
  readonly place: string;
  readonly where: string;
  readonly figures: readonly string[];
  /** SQL of each figure's value. */
  readonly values: readonly string[];
  readonly params: Readonly<Record<string, string | number>>;
}

function windowRows({ id }: WindowSpec, to: number): ComparedRows {
  return {
    table: 'gravity.window_figures',
    what: "concat('window ', window)",
    place: "formatDateTime(end, '%Y-%m-%dT%H:%i:%SZ', 'UTC')",
    where: `window = {window:String} AND end <= fromUnixTimestamp64Milli({to:Int64}, 'UTC')
      AND end > fromUnixTimestamp64Milli({from:Int64}, 'UTC')`,
    ...{ figures: WINDOW_COUNTS, values: WINDOW_COUNTS },
    params: { window: id, from: to - COMPARED_WINDOW_MS, to },
  };
}

function periodRows(to: number): ComparedRows {
  return {
    table: 'gravity.period_figures',
    what: "concat('period ', scheme_id, if(period_id = scheme_id, '', concat(' ', period_id)))",
    place: 'toString(day)',
    where: "day > toDate32(fromUnixTimestamp64Milli({to:Int64}, 'UTC')) - {days:UInt16}",
    figures: [...PERIOD_FIGURES, ...TIERS.map((tier) => `tier ${tier}`)],
    values: [...PERIOD_FIGURES, ...TIERS.map((tier) => `tiers[${tier + 1}]`)],
    params: { to, days: COMPARED_DAYS },
  };
}

async function compareRows(
  clickhouse: ClickHouse,
  { shown, rebuilt, positions }: GenerationsQuery,
  { table, what, place, where, figures, values, params }: ComparedRows,
): Promise<GenerationsCompared> {
  const sums = (generation: string) => values.map((value) => SUMMED(value, generation)).join(', ');
  const sideBySide = `
    SELECT brand, channel, ${what} AS what, ${place} AS place, partition,
      maxIf(${POSITION}, generation = {shown:UInt32}) AS shown_at,
      transform(toString(partition), {partitions:Array(String)}, arrayMap(at -> toInt64(at), {positions:Array(String)}), toInt64(-1)) AS rebuilt_to,
      [${sums('shown')}] AS was, [${sums('rebuilt')}] AS now
    FROM ${table} FINAL
    WHERE generation IN ({shown:UInt32}, {rebuilt:UInt32}) AND ${where}
    GROUP BY brand, channel, what, place, partition`;
  const asked = {
    params: {
      ...{ ...params, shown, rebuilt },
      partitions: [...positions.keys()].map(String),
      positions: [...positions.values()].map(String),
    },
    settings: { do_not_merge_across_partitions_select_final: 1 },
    timeoutMs: TIMEOUT_MS,
  };
  const [counts] = await clickhouse.query({
    ...asked,
    sql: `SELECT countIf(shown_at <= rebuilt_to) AS compared, countIf(shown_at > rebuilt_to) AS moved FROM (${sideBySide})`,
    row: rowOf({ compared: integer, moved: integer }),
  });
  const differences = await clickhouse.query({
    ...asked,
    sql: `
      SELECT brand, channel, what, figure, count() AS rows, max(place) AS newest, sum(l) AS shown, sum(r) AS rebuilt
      FROM (
        SELECT brand, channel, what, place, figure, l, r
        FROM (${sideBySide})
        ARRAY JOIN [${figures.map((figure) => `'${figure}'`).join(', ')}] AS figure, was AS l, now AS r
        WHERE shown_at <= rebuilt_to AND l != r
      )
      GROUP BY brand, channel, what, figure ORDER BY brand, channel, what, figure`,
    row: rowOf({
      ...{ brand: text, channel: text, what: text, figure: text, rows: integer, newest: text },
      ...{ shown: integer, rebuilt: integer },
    }),
  });
  const width = figures.length;
  return {
    compared: (counts?.compared ?? 0) * width,
    movedOn: (counts?.moved ?? 0) * width,
    differences,
  };
}
