import { dueEdges, type Rules } from '#domain';

/** Live ticks come this often, and at every due edge. */
export const TICK_INTERVAL_MS = 10_000;
/** Time that has stood still goes on in such steps: what one tick closes is bounded. */
const STEP_MAX_MS = 3_600_000;

/**
 * The ticks that take a watermark towards `readTo`: one at every due edge on the way, so that no tick crosses
 * two, and at every full hour; then one at `readTo` itself if at least an interval has passed since the last.
 *
 * @param readTo   how far intake has read all its sources, ms
 */
export function nextTicks(rules: Rules, watermark: number, readTo: number): readonly number[] {
  if (readTo <= watermark) return [];
  // A log without any tick starts at its first one: there is no edge behind it that anything could fall at.
  const edges = watermark === 0 ? [] : withHours(dueEdges(rules, watermark, readTo), watermark, readTo);
  const last = edges.at(-1) ?? watermark;
  return readTo - last >= TICK_INTERVAL_MS ? [...edges, readTo] : edges;
}

function withHours(edges: readonly number[], from: number, to: number): readonly number[] {
  if (to - from < STEP_MAX_MS) return edges;
  const all = new Set(edges);
  for (let at = Math.floor(from / STEP_MAX_MS) * STEP_MAX_MS + STEP_MAX_MS; at <= to; at += STEP_MAX_MS)
    all.add(at);
  return [...all].sort((a, b) => a - b);
}
