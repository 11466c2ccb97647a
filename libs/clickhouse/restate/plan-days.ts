/** What a restatement of days would write: rows of final days counted anew from all raw facts, late ones included. */
import type { PeriodFigureRow } from '#pipeline';
import type { ClickHouse } from '../clickhouse.js';
import { dayRows, type StoredDay } from '../queries/day-rows.js';
import { differencesOn } from '../reconcile/reconcile-periods.js';
import {
  addedPeriodCounts,
  NO_PERIOD_COUNTS,
  PERIOD_COUNTS,
  storedOfCounts,
  type PeriodCounts,
} from '../recount/period-counts.js';
import { DayRecount, type RecountedDay } from '../recount/recount-days.js';
import type { ClosedDay } from '../recount/scheme-days.js';
import { positionOf, restatedVersion } from '../row-version.js';
import { daysToRestate, type DaysToRestate, type ReopenedDays } from './days-to-restate.js';
import { figureChanges, type FigureCounts } from './figure-changes.js';
import { unexplainedError, type PlanOptions, type RestatementPlan } from './plan-restatement.js';
import { RestatementRefused } from './restatement-refused.js';

interface DayDifference {
  readonly partition: number;
  readonly channel: string;
  readonly before: PeriodCounts;
  readonly after: PeriodCounts;
}

/** Reads only. @throws RestatementRefused */
export async function planDays(
  clickhouse: ClickHouse,
  asked: ReopenedDays,
  options: Omit<PlanOptions, 'chunkEnds'>,
): Promise<RestatementPlan> {
  const span = await daysToRestate(clickhouse, asked);
  const { generation, partitions, days } = span;
  const positions = new Map(
    [...partitions].map(([partition, { version }]) => [partition, positionOf(version)]),
  );
  await options.awaitFacts(positions);
  const recount = await DayRecount.of(clickhouse, asked, days);
  const rows: PeriodFigureRow[] = [];
  const sums: FigureCounts<keyof PeriodCounts>[] = [];
  for (const [nth, day] of days.entries()) {
    options.onProgress?.(nth, days.length);
    const stored = await dayRows(clickhouse, { ...asked, generation, day: day.day });
    const recounted = await recount.at(day.day);
    const held = heldAgainst(stored, recounted).filter(
      ({ channel }) => asked.channel === null || channel === asked.channel,
    );
    const found = held.filter(({ before, after }) => PERIOD_COUNTS.some((of) => before[of] !== after[of]));
    if (found.length === 0) continue;
    if (options.acceptUnexplained !== true)
      await assertExplained(clickhouse, { ...asked, generation }, day, stored, recounted);
    rows.push(...found.map((difference) => restatedRow(asked, span, day, difference)));
    sums.push(...overPartitions(held, day));
  }
  options.onProgress?.(days.length, days.length);
  return {
    ...{ generation, ends: days.length, positions, rows },
    endsChanged: new Set(rows.map(({ day }) => day)).size,
    changes: figureChanges(sums, PERIOD_COUNTS),
    restated: {
      ...{ window: '', schemeId: asked.scheme.id, fromDay: asked.from, toDay: asked.to },
      ...{ fromEnd: days[0]?.close ?? 0, toEnd: days.at(-1)?.close ?? 0 },
    },
  };
}

/** Of every row and every recount, what there is and what there should be. */
function heldAgainst(
  stored: readonly StoredDay[],
  recounted: readonly RecountedDay[],
): readonly DayDifference[] {
  const found = new Map<string, DayDifference>();
  for (const { partition, channel, counts: before } of stored) {
    found.set(`${partition} ${channel}`, { partition, channel, before, after: NO_PERIOD_COUNTS });
  }
  for (const { partition, channel, counts: after } of recounted) {
    const before = found.get(`${partition} ${channel}`)?.before ?? NO_PERIOD_COUNTS;
    found.set(`${partition} ${channel}`, { partition, channel, before, after });
  }
  return [...found.values()];
}

/** A row may differ from the raw facts by what came when it was final, and by nothing else. */
async function assertExplained(
  clickhouse: ClickHouse,
  asked: ReopenedDays & { readonly generation: number },
  day: ClosedDay,
  stored: readonly StoredDay[],
  recounted: readonly RecountedDay[],
): Promise<void> {
  const { drifts } = await differencesOn(clickhouse, asked, day, stored, recounted);
  const drift = drifts.find(({ channel }) => channel === (asked.channel ?? channel));
  if (drift === undefined) return;
  throw unexplainedError(
    `on ${drift.day}, ${drift.channel}, ${drift.figure} is ${drift.live}, recounted ${drift.recount}, and what came ` +
      'late does not explain it',
  );
}

function overPartitions(
  held: readonly DayDifference[],
  { close: end }: ClosedDay,
): readonly FigureCounts<keyof PeriodCounts>[] {
  const channels = [...new Set(held.map(({ channel }) => channel))];
  return channels.map((channel) => {
    const own = held.filter((one) => one.channel === channel);
    const sum = (of: 'before' | 'after'): PeriodCounts =>
      own.reduce((total, one) => addedPeriodCounts(total, one[of]), NO_PERIOD_COUNTS);
    return { channel, end, before: sum('before'), after: sum('after') };
  });
}

function restatedRow(
  { brand, scheme }: ReopenedDays,
  { generation, partitions }: DaysToRestate,
  { day }: ClosedDay,
  { partition, channel, after }: DayDifference,
): PeriodFigureRow {
  const reached = partitions.get(partition);
  if (reached === undefined)
    throw new RestatementRefused(`the raw facts name partition ${partition}, which the log has not`);
  return {
    ...{ table: 'period_figures', brand, channel, scheme_id: scheme.id, day, generation, partition },
    period_id: scheme.period.kind === 'calendarMonth' ? day.slice(0, 7) : scheme.id,
    version: restatedVersion(reached.version),
    ...{ status: 'restated', watermark: reached.reachedMs },
    ...storedOfCounts(after),
  };
}
