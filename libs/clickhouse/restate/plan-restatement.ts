/** What a restatement would write: rows of final window ends counted anew from all raw facts, late ones included. */
import { ALL_CHANNELS } from '#domain';
import type { FigureRow, WindowFigureRow } from '#pipeline';
import type { ClickHouse } from '../clickhouse.js';
import type { StoredRestatement } from '../queries/restatements.js';
import { WINDOW_COUNTS } from '../queries/window-counts.js';
import { differenceAt } from '../reconcile/difference-at.js';
import {
  differs,
  endsAtOnce,
  heldAgainst,
  overPartitions,
  type EndCounts,
  type EndDifference,
} from '../recount/held-against.js';
import { positionOf, restatedVersion } from '../row-version.js';
import { endsToRestate, iso, type EndsToRestate, type Reopened } from './ends-to-restate.js';
import { figureChanges, type FigureChange } from './figure-changes.js';
import { lateEnds, type LateEnds } from './late-ends.js';
import { RestatementRefused } from './restatement-refused.js';

/** What of: ends of a window, or days of a scheme. */
export type RestatedSpan = Pick<
  StoredRestatement,
  'window' | 'schemeId' | 'fromDay' | 'toDay' | 'fromEnd' | 'toEnd'
>;

export interface RestatementPlan {
  readonly generation: number;
  /** Ends (or days) looked at, and those of them with a figure that changes. */
  readonly ends: number;
  readonly endsChanged: number;
  readonly changes: readonly FigureChange[];
  /** Only rows that change: writing the same once more would say of a figure that it was corrected. */
  readonly rows: readonly FigureRow[];
  /** Partition → log offset up to which everything is counted. */
  readonly positions: ReadonlyMap<number, number>;
  readonly restated: RestatedSpan;
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
  const found: EndDifference[] = [];
  const sums: EndCounts[] = [];
  const chunk = options.chunkEnds ?? (await endsAtOnce(clickhouse, asked.brand));
  for (let done = 0; done < ends; done += chunk) {
    options.onProgress?.(done, ends);
    const part = {
      ...span,
      first: span.first + done * asked.window.slideMs,
      ends: Math.min(chunk, ends - done),
    };
    const rows = (await heldAgainst(clickhouse, asked, { ...part, generation: beats.generation })).filter(
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
    changes: figureChanges(sums, WINDOW_COUNTS),
    rows: found.map((difference) => restatedRow(asked, span, difference)),
    restated: {
      ...{ window: asked.window.id, schemeId: '', fromDay: '', toDay: '' },
      ...{ fromEnd: span.first, toEnd: span.first + (ends - 1) * asked.window.slideMs },
    },
  };
}

/**
 * A row may differ from the raw facts by what came too late for it, and by nothing else: where it does, facts may be
 * gone, or a row is wrong, and somebody has to look before it is covered up.
 */
async function assertExplained(
  clickhouse: ClickHouse,
  { brand, channel, window }: Reopened,
  { beats }: EndsToRestate,
  found: readonly EndDifference[],
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

export function unexplainedError(what: string): RestatementRefused {
  return new RestatementRefused(
    `${what}. Raw facts may be gone or still on their way, or a row is wrong: see what \`gravity reconcile\` says`,
  );
}

function restatedRow(
  { brand, window }: Reopened,
  { beats: { generation, versions, closed } }: EndsToRestate,
  { partition, channel, end, after }: EndDifference,
): WindowFigureRow {
  return {
    ...{ table: 'window_figures', brand, channel, window: window.id, end, generation, partition },
    version: restatedVersion(versions.get(partition) ?? 0n),
    ...{ status: 'restated', watermark: closed.get(partition) ?? end },
    ...after,
  };
}
