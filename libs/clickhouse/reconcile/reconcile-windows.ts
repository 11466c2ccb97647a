/** Live window figures held against a recount of the raw facts, at a sample of closed ends. */
import { ALL_CHANNELS, type WindowSpec } from '#domain';
import { type ClickHouse } from '../clickhouse.js';
import { countLateEvents } from '../queries/late-events.js';
import { WINDOW_COUNTS, type WindowCount } from '../queries/window-counts.js';
import { figuresAt, firstWholeEnd, heartbeats, type Heartbeats } from '../queries/window-figures.js';
import { windowFiguresFromFacts } from '../queries/window-figures-from-facts.js';
import { integer, rowOf } from '../row-reader.js';

export interface WindowSample {
  readonly brand: string;
  /** Without `all`, which is compared too. */
  readonly channels: readonly string[];
  readonly window: Pick<WindowSpec, 'id' | 'widthMs' | 'slideMs'>;
  /** How many ends at most: the newest closed one, and others spread over all there are. */
  readonly endsMax: number;
  /** In [0, 1): where the others lie. The same ends for the same figure. */
  readonly offset: number;
  /** Only ends up to this instant, ms: the same ends again, some time later. Absent: all that are closed. */
  readonly until?: number;
  /** Ends before this instant (ms) need not have rows: fine windows far back. Absent: all that are closed have. */
  readonly rowsFrom?: number;
}

export interface WindowDrift {
  readonly brand: string;
  readonly channel: string;
  readonly window: string;
  /** ms. */
  readonly end: number;
  readonly figure: WindowCount;
  readonly live: number;
  readonly recount: number;
}

export interface WindowReconciliation {
  /** Ends, each of them in every channel. */
  readonly ends: number;
  readonly compared: number;
  /** (end, channel) pairs that differ by what came too late for them, as the ledger names it, or was imported. */
  readonly late: number;
  readonly drifts: readonly WindowDrift[];
}

/** @param onEnd   told after each end, with how many there are */
export async function reconcileWindow(
  clickhouse: ClickHouse,
  sample: WindowSample,
  onEnd: (done: number, of: number) => void = () => undefined,
): Promise<WindowReconciliation> {
  const { window } = sample;
  const beats = await heartbeats(clickhouse, window.id);
  if (beats === null) return { ends: 0, compared: 0, late: 0, drifts: [] };
  const ends = await sampledEnds(clickhouse, sample, beats);
  const drifts: WindowDrift[] = [];
  let compared = 0;
  let late = 0;
  for (const [nth, end] of ends.entries()) {
    for (const channel of [ALL_CHANNELS, ...sample.channels]) {
      const found = await differenceAt(clickhouse, sample, beats, channel, end);
      compared += 1;
      if (found.isLate) late += 1;
      drifts.push(...found.drifts);
    }
    onEnd(nth + 1, ends.length);
  }
  return { ends: ends.length, compared, late, drifts };
}

/** Closed ends with rows whose whole window lies behind the first tick, newest first. */
async function sampledEnds(
  clickhouse: ClickHouse,
  sample: WindowSample,
  beats: Heartbeats,
): Promise<readonly number[]> {
  const { slideMs } = sample.window;
  const closed = Math.min(...beats.closed.values());
  const last = Math.min(closed, Math.floor((sample.until ?? closed) / slideMs) * slideMs);
  const of = { brand: sample.brand, window: sample.window, generation: beats.generation };
  const whole = await firstWholeEnd(clickhouse, of);
  if (whole === null) return [];
  const first = Math.max(whole, Math.ceil((sample.rowsFrom ?? whole) / slideMs) * slideMs);
  const total = Math.floor((last - first) / slideMs) + 1;
  if (total <= sample.endsMax)
    return Array.from({ length: Math.max(0, total) }, (_, n) => last - n * slideMs);
  const stride = (total - 1) / (sample.endsMax - 1);
  const places = Array.from({ length: sample.endsMax }, (_, n) =>
    n === 0 ? 0 : Math.min(total - 1, Math.floor((n - sample.offset) * stride)),
  );
  return [...new Set(places)].map((place) => last - place * slideMs);
}

export interface WindowDifference {
  /** The row differs from all raw facts, and what came too late for it, or was imported, explains that. */
  readonly isLate: boolean;
  readonly drifts: readonly WindowDrift[];
}

/**
 * The row of an end against all raw facts; where they differ, against those that were there in time: before the end
 * was final, or before it was last restated. The ledger may name a record that was a repetition, which the fold could
 * no longer know, and of an import it does not say what was in time; so a figure may lie between the two.
 */
export async function differenceAt(
  clickhouse: ClickHouse,
  { brand, window }: Pick<WindowSample, 'brand' | 'window'>,
  beats: Heartbeats,
  channel: string,
  end: number,
): Promise<WindowDifference> {
  const facts = { brand, channel, widthMs: window.widthMs, at: end };
  const [live, all] = await Promise.all([
    figuresAt(clickhouse, { brand, channel, window: window.id }, beats, end),
    windowFiguresFromFacts(clickhouse, facts),
  ]);
  const differing = (recount: (figure: WindowCount) => number): readonly WindowDrift[] =>
    WINDOW_COUNTS.filter((figure) => live[figure] !== recount(figure)).map((figure) => ({
      ...{ brand, channel, window: window.id, end, figure },
      live: live[figure],
      recount: recount(figure),
    }));
  const drifts = differing((figure) => all[figure]);
  if (drifts.length === 0) return { isLate: false, drifts };
  // A late link changes what is related in every channel, so entries of all of them are looked for.
  const { generation } = beats;
  const ledger = { brand, window: window.id, generation, missedEnd: end };
  const withoutImports = await hasImports(clickhouse, brand, end);
  if (!withoutImports && (await countLateEvents(clickhouse, ledger)) === 0) return { isLate: false, drifts };
  const inTime = await windowFiguresFromFacts(clickhouse, {
    ...facts,
    inTime: { window: window.id, generation, restatedAsOf: live.restatedAsOf, withoutImports },
  });
  const left = differing((figure) => {
    const [least = 0, most = 0] = [all[figure], inTime[figure]].sort((a, b) => a - b);
    return Math.min(Math.max(live[figure], least), most);
  });
  return { isLate: left.length === 0, drifts: left };
}

/** Whether anything was imported that an end at `until` (ms) can know of. */
async function hasImports(clickhouse: ClickHouse, brand: string, until: number): Promise<boolean> {
  const [found] = await clickhouse.query({
    sql: `
      SELECT count() > 0 AS found FROM (
        SELECT 1 FROM gravity.touchpoints
        WHERE brand = {brand:String} AND origin = 'BACKFILL' AND at < fromUnixTimestamp64Milli({until:Int64}, 'UTC')
        LIMIT 1
      )`,
    params: { brand, until },
    row: rowOf({ found: integer }),
  });
  return found?.found === 1;
}
