import type { Span } from './window-port.js';

export const NO_SPANS: readonly Span[] = [];

/** Whether `t` lies in one of the spans. */
export function covers(spans: readonly Span[], t: number): boolean {
  for (const { from, to } of spans) if (from <= t && t < to) return true;
  return false;
}

/** Sorted, disjoint, not touching, none empty. */
export function union(spans: readonly Span[]): readonly Span[] {
  if (spans.length < 2) return spans;
  const sorted = [...spans].sort((a, b) => a.from - b.from);
  const merged: Span[] = [];
  for (const span of sorted) {
    const last = merged[merged.length - 1];
    if (last === undefined || span.from > last.to) merged.push(span);
    else if (span.to > last.to) merged[merged.length - 1] = { from: last.from, to: span.to };
  }
  return merged;
}
