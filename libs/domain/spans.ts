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

/** `spans` without what `others` cover; `spans` itself where they cover nothing of it. Both sorted and disjoint. */
export function without(spans: readonly Span[], others: readonly Span[]): readonly Span[] {
  const left: Span[] = [];
  let isSame = true;
  for (const span of spans) {
    let { from } = span;
    for (const other of others) {
      if (other.to <= from || other.from >= span.to) continue;
      isSame = false;
      if (from < other.from) left.push({ from, to: other.from });
      from = other.to;
    }
    if (from === span.from) left.push(span);
    else if (from < span.to) left.push({ from, to: span.to });
  }
  return isSame ? spans : left;
}
