import { compileRules } from './compiled-rules.js';
import type { Rules } from './rules.js';

/**
 * The instants in (from, to] at which some figure changes by time alone: the midnights of the schemes' zones,
 * among them the ends of months and the starts and closes of campaigns. Ascending, without repetition.
 */
export function dueEdges(rules: Rules, from: number, to: number): number[] {
  const edges = new Set<number>();
  for (const calendar of compileRules(rules).calendars) {
    for (let day = calendar.dayOf(from) + 1; ; day++) {
      const midnight = calendar.dayStart(day);
      if (midnight > to) break;
      if (midnight > from) edges.add(midnight);
    }
  }
  return [...edges].sort((a, b) => a - b);
}
