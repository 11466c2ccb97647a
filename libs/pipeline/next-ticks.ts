import { dueEdges, type Rules } from '#domain';

/** Live ticks come this often, and at every due edge. */
export const TICK_INTERVAL_MS = 10_000;

/**
 * The ticks that take a watermark towards `readTo`: one at every due edge on the way, so that no tick crosses
 * two, then one at `readTo` itself if at least an interval has passed since the last.
 *
 * @param readTo   how far intake has read all its sources, ms
 */
export function nextTicks(rules: Rules, watermark: number, readTo: number): readonly number[] {
  if (readTo <= watermark) return [];
  // A log without any tick starts at its first one: there is no edge behind it that anything could fall at.
  const edges = watermark === 0 ? [] : dueEdges(rules, watermark, readTo);
  const last = edges.at(-1) ?? watermark;
  return readTo - last >= TICK_INTERVAL_MS ? [...edges, readTo] : edges;
}
