/** Of many window ends that differ from all raw facts, those that lack what the late ledger names, and nothing else. */
import type { WindowSpec } from '#domain';
import type { ClickHouse } from '../clickhouse.js';
import { factsInTime } from '../queries/facts-in-time.js';
import { addedCounts, NO_COUNTS, WINDOW_COUNTS, type WindowCounts } from '../queries/window-counts.js';
import type { EndCounts } from '../recount/held-against.js';
import { recountWindows } from '../recount/recount-windows.js';
import { integer, rowOf } from '../row-reader.js';
import { hasImports } from './has-imports.js';

export interface DifferingEnds {
  readonly brand: string;
  readonly window: Pick<WindowSpec, 'id' | 'widthMs' | 'slideMs'>;
  readonly generation: number;
  /** What the rows say beside what all raw facts make. */
  readonly differing: readonly EndCounts[];
}

/**
 * @returns those that it does not explain; a restated row may be among them, since it knows some of the ledger
 */
export async function unexplainedEnds(
  clickhouse: ClickHouse,
  asked: DifferingEnds,
): Promise<readonly EndCounts[]> {
  const { brand, window, generation, differing } = asked;
  const ends = [...new Set(differing.map(({ end }) => end))].sort((a, b) => a - b);
  const last = ends.at(-1);
  if (last === undefined || (await hasImports(clickhouse, brand, last))) return differing;
  const left: EndCounts[] = [];
  for (const run of runsOf(ends, await ledgerEdges(clickhouse, asked, ends))) {
    const [first = 0] = run;
    const inTime = await recountWindows(clickhouse, {
      ...{ brand, window, first, ends: ((run.at(-1) ?? first) - first) / window.slideMs + 1 },
      facts: factsInTime({ window: window.id, generation, end: first, restatedAsOf: new Map() }),
    });
    const counts = new Map<string, WindowCounts>();
    for (const { channel, end, counts: of } of inTime) {
      const key = `${end} ${channel}`;
      counts.set(key, addedCounts(counts.get(key) ?? NO_COUNTS, of));
    }
    const own = differing.filter(({ end }) => run.includes(end));
    left.push(...own.filter((one) => !isBetween(one, counts.get(`${one.end} ${one.channel}`) ?? NO_COUNTS)));
  }
  return left;
}

/** As in `differenceAt`. */
function isBetween({ before, after }: EndCounts, inTime: WindowCounts): boolean {
  return WINDOW_COUNTS.every((figure) => {
    const [least = 0, most = 0] = [after[figure], inTime[figure]].sort((a, b) => a - b);
    return least <= before[figure] && before[figure] <= most;
  });
}

/** Ends between which the same entries are missed, together. Both ascending. */
function runsOf(ends: readonly number[], edges: readonly number[]): readonly (readonly number[])[] {
  const runs: number[][] = [];
  let edge = 0;
  let run: number[] | null = null;
  for (const end of ends) {
    for (; (edges[edge] ?? Infinity) <= end; edge += 1) run = null;
    if (run === null) runs.push((run = []));
    run.push(end);
  }
  return runs;
}

/** Where an entry of the ledger begins or ends to be missed, ascending. */
async function ledgerEdges(
  clickhouse: ClickHouse,
  { brand, window, generation }: DifferingEnds,
  ends: readonly number[],
): Promise<readonly number[]> {
  const rows = await clickhouse.query({
    sql: `
      SELECT DISTINCT toUnixTimestamp64Milli(arrayJoin([missed_from, missed_to])) AS at_ms
      FROM gravity.late_events FINAL
      WHERE brand = {brand:String} AND window = {window:String} AND generation = {generation:UInt32}
        AND missed_from <= fromUnixTimestamp64Milli({last:Int64}, 'UTC')
        AND missed_to > fromUnixTimestamp64Milli({first:Int64}, 'UTC')
      ORDER BY at_ms`,
    params: { brand, window: window.id, generation, first: ends[0] ?? 0, last: ends.at(-1) ?? 0 },
    row: rowOf({ at_ms: integer }),
  });
  return rows.map(({ at_ms }) => at_ms);
}
