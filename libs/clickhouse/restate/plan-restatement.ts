/** What a restatement would write: rows of final window ends counted anew from all raw facts, late ones included. */
import { ALL_CHANNELS } from '#domain';
import { type WindowFigureRow } from '#pipeline';
import { type ClickHouse } from '../clickhouse.js';
import {
  addedCounts,
  NO_COUNTS,
  WINDOW_COUNT_READERS,
  WINDOW_COUNTS,
  type WindowCounts,
} from '../queries/window-counts.js';
import { differenceAt } from '../reconcile/reconcile-windows.js';
import { integer, rowOf, text } from '../row-reader.js';
import { positionOf, restatedVersion } from '../row-version.js';
import { endsToRestate, iso, type EndsToRestate, type Reopened } from './ends-to-restate.js';
import { figureChanges, type EndChange, type FigureChange } from './figure-changes.js';
import { lateEnds, type LateEnds } from './late-ends.js';
import { recountWindows } from './recount-windows.js';
import { RestatementRefused } from './restatement-refused.js';

export interface RestatementPlan {
  readonly generation: number;
  /** Ends looked at, and those of them with a figure that changes. */
  readonly ends: number;
  readonly endsChanged: number;
  readonly changes: readonly FigureChange[];
  /** Only rows that change: writing the same once more would say of a figure that it was corrected. */
  readonly rows: readonly WindowFigureRow[];
  /** Partition → log offset up to which everything is counted. */
  readonly positions: ReadonlyMap<number, number>;
}

export interface PlanOptions {
  /** Resolves once the raw facts hold the log up to these offsets by partition. */
  readonly awaitFacts: (positions: ReadonlyMap<number, number>) => Promise<void>;
  /** Restate also what differs although nothing came late for it. Default: refuse. */
  readonly acceptUnexplained?: boolean;
  /** Told as ends are recounted; what it throws ends the work. */
  readonly onProgress?: (done: number, of: number) => void;
  /** Ends to recount at once. Default: by the number of persons. */
  readonly chunkEnds?: number;
}

interface Difference {
  readonly partition: number;
  readonly channel: string;
  readonly end: number;
  readonly before: WindowCounts;
  readonly after: WindowCounts;
}

/** A query holds a list of ends for every person. */
const PERSON_ENDS_MAX = 20_000_000;
const CHUNK_ENDS_MAX = 500;
/** Changed ends of which the row as it stands is held against the facts that came in time. */
const PROBES = 12;

/** Reads only. @throws RestatementRefused */
export async function planRestatement(
  clickhouse: ClickHouse,
  asked: Reopened,
  options: PlanOptions,
): Promise<RestatementPlan> {
  const span = await endsToRestate(clickhouse, asked);
  const { beats, ends } = span;
  const positions = new Map([...beats.versions].map(([partition, of]) => [partition, positionOf(of)]));
  await options.awaitFacts(positions);
  const isLate = await lateEnds(clickhouse, asked, span);
  const found: Difference[] = [];
  const sums: EndChange[] = [];
  const chunk = options.chunkEnds ?? (await chunkFor(clickhouse, asked.brand));
  for (let done = 0; done < ends; done += chunk) {
    options.onProgress?.(done, ends);
    const part = {
      ...span,
      first: span.first + done * asked.window.slideMs,
      ends: Math.min(chunk, ends - done),
    };
    const rows = (await heldAgainst(clickhouse, asked, part)).filter(
      ({ channel }) => asked.channel === null || channel === asked.channel,
    );
    found.push(...rows.filter(differs));
    sums.push(...overPartitions(rows).filter(differs));
  }
  options.onProgress?.(ends, ends);
  for (const { partition } of found) {
    if (!beats.closed.has(partition))
      throw new RestatementRefused(`the raw facts name partition ${partition}, which the log has not`);
  }
  if (options.acceptUnexplained !== true) await assertExplained(clickhouse, asked, span, found, isLate);
  return {
    ...{ generation: beats.generation, ends, positions },
    endsChanged: new Set(found.map(({ end }) => end)).size,
    changes: figureChanges(sums),
    rows: found.map((difference) => restatedRow(asked, span, difference)),
  };
}

async function chunkFor(clickhouse: ClickHouse, brand: string): Promise<number> {
  const [counted] = await clickhouse.query({
    sql: 'SELECT uniq(person) AS persons FROM gravity.touchpoints WHERE brand = {brand:String}',
    params: { brand },
    row: rowOf({ persons: integer }),
  });
  return Math.max(1, Math.min(CHUNK_ENDS_MAX, Math.floor(PERSON_ENDS_MAX / (counted?.persons ?? 1))));
}

/** Of every row and every recount, what there is and what there should be. */
async function heldAgainst(
  clickhouse: ClickHouse,
  { brand, window }: Reopened,
  { beats, first, ends }: EndsToRestate,
): Promise<readonly Difference[]> {
  const recounted = await recountWindows(clickhouse, { brand, window, first, ends });
  const stored = await clickhouse.query({
    sql: `
      SELECT channel, partition, toUnixTimestamp64Milli(end) AS end_ms, ${WINDOW_COUNTS.join(', ')}
      FROM gravity.window_figures FINAL
      WHERE brand = {brand:String} AND window = {window:String} AND generation = {generation:UInt32}
        AND end >= fromUnixTimestamp64Milli({from:Int64}, 'UTC')
        AND end <= fromUnixTimestamp64Milli({to:Int64}, 'UTC')`,
    params: {
      ...{ brand, window: window.id, generation: beats.generation },
      ...{ from: first, to: first + (ends - 1) * window.slideMs },
    },
    settings: { do_not_merge_across_partitions_select_final: 1 },
    row: rowOf({
      ...{ channel: text, partition: integer, end_ms: integer },
      ...WINDOW_COUNT_READERS,
    }),
  });
  const found = new Map<string, Difference>();
  for (const { channel: of, partition, end_ms: end, ...before } of stored) {
    found.set(`${partition} ${end} ${of}`, { partition, channel: of, end, before, after: NO_COUNTS });
  }
  for (const { channel: of, partition, end, counts: after } of recounted) {
    const key = `${partition} ${end} ${of}`;
    const before = found.get(key)?.before ?? NO_COUNTS;
    found.set(key, { partition, channel: of, end, before, after });
  }
  return [...found.values()];
}

function differs({ before, after }: Pick<Difference, 'before' | 'after'>): boolean {
  return WINDOW_COUNTS.some((figure) => before[figure] !== after[figure]);
}

/**
 * A row may differ from the raw facts by what came too late for it, and by nothing else: where it does, facts may be
 * gone, or a row is wrong, and somebody has to look before it is covered up.
 */
async function assertExplained(
  clickhouse: ClickHouse,
  { brand, channel, window }: Reopened,
  { beats }: EndsToRestate,
  found: readonly Difference[],
  isLate: LateEnds,
): Promise<void> {
  const unexplained = found.filter(({ partition, end }) => !isLate(partition, end));
  const [first] = unexplained;
  if (first !== undefined) {
    const figure = WINDOW_COUNTS.find((of) => first.before[of] !== first.after[of]) ?? 'visitors';
    const ends = new Set(unexplained.map(({ end }) => end)).size;
    throw unexplainedError(
      `${ends} ends differ from the raw facts although nothing came late for them (first ${iso(first.end)}, ` +
        `${first.channel}, partition ${first.partition}: ${figure} is ${first.before[figure]}, ` +
        `recounted ${first.after[figure]})`,
    );
  }
  const changed = [...new Set(found.map(({ end }) => end))].sort((a, b) => a - b);
  const step = Math.max(1, (changed.length - 1) / (PROBES - 1));
  for (let n = 0; n < changed.length; n += step) {
    const end = changed[Math.floor(n)];
    if (end === undefined) continue;
    const { drifts } = await differenceAt(clickhouse, { brand, window }, beats, channel ?? ALL_CHANNELS, end);
    const [drift] = drifts;
    if (drift === undefined) continue;
    throw unexplainedError(
      `at ${iso(end)}, ${drift.channel}, ${drift.figure} is ${drift.live}, but the raw facts that came in time ` +
        `make ${drift.recount}`,
    );
  }
}

function unexplainedError(what: string): RestatementRefused {
  return new RestatementRefused(
    `${what}. Raw facts may be gone or still on their way, or a row is wrong: see what \`gravity reconcile\` says`,
  );
}

function overPartitions(rows: readonly Difference[]): readonly EndChange[] {
  const sums = new Map<string, EndChange>();
  for (const { channel, end, before, after } of rows) {
    const key = `${end} ${channel}`;
    const sum = sums.get(key) ?? { channel, end, before: NO_COUNTS, after: NO_COUNTS };
    sums.set(key, {
      ...sum,
      before: addedCounts(sum.before, before),
      after: addedCounts(sum.after, after),
    });
  }
  return [...sums.values()];
}

function restatedRow(
  { brand, window }: Reopened,
  { beats: { generation, versions, closed } }: EndsToRestate,
  { partition, channel, end, after }: Difference,
): WindowFigureRow {
  return {
    ...{ table: 'window_figures', brand, channel, window: window.id, end, generation, partition },
    version: restatedVersion(versions.get(partition) ?? 0n),
    ...{ status: 'restated', watermark: closed.get(partition) ?? end },
    ...after,
  };
}
