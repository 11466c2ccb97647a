/** Live window figures held against a recount of the raw facts, at a sample of closed ends. */
import { ALL_CHANNELS, type WindowSpec } from '#domain';
import { type ClickHouse } from '../clickhouse.js';
import { countLateEvents } from '../queries/late-events.js';
import { WINDOW_COUNTS, type WindowCount } from '../queries/window-counts.js';
import { figuresAt, heartbeats, type Heartbeats } from '../queries/window-figures.js';
import { windowFiguresFromFacts } from '../queries/window-figures-from-facts.js';
import { integerOrNull, rowOf } from '../row-reader.js';

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
  /** (end, channel) pairs that differ by what came too late for them: the ledger names it. */
  readonly late: number;
  readonly drifts: readonly WindowDrift[];
}

/** @param onEnd   told after each end, with how many there are */
export async function reconcileWindow(
  clickhouse: ClickHouse,
  sample: WindowSample,
  onEnd: (done: number, of: number) => void = () => undefined,
): Promise<WindowReconciliation> {
  const { brand, window } = sample;
  const beats = await heartbeats(clickhouse, window.id);
  if (beats === null) return { ends: 0, compared: 0, late: 0, drifts: [] };
  const ends = await sampledEnds(clickhouse, sample, beats);
  const drifts: WindowDrift[] = [];
  let compared = 0;
  let late = 0;
  for (const [nth, end] of ends.entries()) {
    for (const channel of [ALL_CHANNELS, ...sample.channels]) {
      const found = await driftAt(clickhouse, sample, beats, channel, end);
      compared += 1;
      if (found.length === 0) continue;
      const ledger = { brand, channel, window: window.id, generation: beats.generation, missedEnd: end };
      if ((await countLateEvents(clickhouse, ledger)) > 0) late += 1;
      else drifts.push(...found);
    }
    onEnd(nth + 1, ends.length);
  }
  return { ends: ends.length, compared, late, drifts };
}

/** Closed ends whose whole window lies behind the first tick, newest first. */
async function sampledEnds(
  clickhouse: ClickHouse,
  sample: WindowSample,
  beats: Heartbeats,
): Promise<readonly number[]> {
  const { id: window, slideMs } = sample.window;
  const closed = Math.min(...beats.closed.values());
  const last = Math.min(closed, Math.floor((sample.until ?? closed) / slideMs) * slideMs);
  const [bounds] = await clickhouse.query({
    sql: `
      SELECT toUnixTimestamp64Milli(minOrNullIf(end, status != 'incomplete')) AS first_ms,
        toUnixTimestamp64Milli(maxOrNullIf(end, status = 'incomplete')) AS incomplete_ms
      FROM gravity.window_figures FINAL
      WHERE brand = {brand:String} AND window = {window:String} AND generation = {generation:UInt32}`,
    params: { brand: sample.brand, window, generation: beats.generation },
    row: rowOf({ first_ms: integerOrNull, incomplete_ms: integerOrNull }),
  });
  const begun = bounds?.first_ms ?? null;
  if (begun === null) return [];
  const first = Math.max(begun, (bounds?.incomplete_ms ?? -Infinity) + slideMs);
  const total = Math.floor((last - first) / slideMs) + 1;
  if (total <= sample.endsMax)
    return Array.from({ length: Math.max(0, total) }, (_, n) => last - n * slideMs);
  const stride = (total - 1) / (sample.endsMax - 1);
  const places = Array.from({ length: sample.endsMax }, (_, n) =>
    n === 0 ? 0 : Math.min(total - 1, Math.floor((n - sample.offset) * stride)),
  );
  return [...new Set(places)].map((place) => last - place * slideMs);
}

async function driftAt(
  clickhouse: ClickHouse,
  { brand, window }: WindowSample,
  beats: Heartbeats,
  channel: string,
  end: number,
): Promise<readonly WindowDrift[]> {
  const [live, recount] = await Promise.all([
    figuresAt(clickhouse, { brand, channel, window: window.id }, beats, end),
    windowFiguresFromFacts(clickhouse, { brand, channel, widthMs: window.widthMs, at: end }),
  ]);
  return WINDOW_COUNTS.filter((figure) => live[figure] !== recount[figure]).map((figure) => ({
    ...{ brand, channel, window: window.id, end, figure },
    live: live[figure],
    recount: recount[figure],
  }));
}
