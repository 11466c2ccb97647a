/** Faults that could be made in the rolling windows. Each has to make a test fail, unless it says why it is none. */

export interface PlantedFault {
  /** In `libs/domain/windows`. */
  readonly file: string;
  /** Stands in the file exactly once. */
  readonly text: string;
  readonly instead: string;
  /** Why no figure differs; such a fault has to leave all tests green. */
  readonly equal?: string;
}

const INSERTION: readonly PlantedFault[] = [
  {
    file: 'presence-insertion.ts',
    text: 'before + window.ends, window.horizon)',
    instead: 'before + window.ends)',
  },
  {
    file: 'presence-insertion.ts',
    text: 'before + window.ends, window.horizon)',
    instead: 'window.horizon)',
  },
  { file: 'presence-insertion.ts', text: 'before + window.ends,', instead: 'before + window.ends + 1,' },
  { file: 'presence-insertion.ts', text: 'Math.max(bucket, before', instead: 'Math.max(bucket + 1, before' },
  {
    file: 'presence-insertion.ts',
    text: 'Math.min(bucket + window.ends, after)',
    instead: 'bucket + window.ends',
  },
  {
    file: 'presence-insertion.ts',
    text: 'Math.min(bucket + window.ends,',
    instead: 'Math.min(bucket + window.ends - 1,',
  },
  { file: 'presence-insertion.ts', text: 'Math.floor(grain', instead: 'Math.ceil(grain' },
  {
    file: 'aggregate-figures.ts',
    text: 'if (bucketBefore === bucket || bucketAfter === bucket) return;',
    instead: '',
    equal: 'what is covered already adds the empty span; to stop there only saves the work',
  },
  { file: 'aggregate-figures.ts', text: 'if (from < to) this', instead: 'this' },
];

const PRESENCE: readonly PlantedFault[] = [
  {
    file: 'record-presence.ts',
    text: 'if (isKnown(presence, place, grain, code, active ? 1 : 0)) return presence;',
    instead: '',
  },
  {
    file: 'record-presence.ts',
    text: 'grain, ANY_CHANNEL, out);\n  if (relation',
    instead: 'grain, code, out);\n  if (relation',
  },
  { file: 'record-presence.ts', text: "relation === 'all' ?", instead: "relation !== 'none' ?" },
  {
    file: 'record-presence.ts',
    text: 'addPartlyRelated(brand.all, among, presence, place, grain, ANY_CHANNEL, links.any, grid, out);',
    instead: '',
  },
  {
    file: 'record-presence.ts',
    text: 'isNewest && links === presence.lasting',
    instead: 'links === presence.lasting',
  },
  { file: 'record-presence.ts', text: 'link.from < from + grainMs', instead: 'link.from <= from + grainMs' },
  { file: 'record-presence.ts', text: 'link.to > from)', instead: 'link.to >= from)' },
  { file: 'record-presence.ts', text: 'link.from < link.to && ', instead: '' },
  {
    file: 'record-presence.ts',
    text: 'let at = place - MOMENT; at >= 0',
    instead: 'let at = place - 2 * MOMENT; at >= 0',
  },
  {
    file: 'record-presence.ts',
    text: 'let at = place; at < length',
    instead: 'let at = place + MOMENT; at < length',
  },
  {
    file: 'record-presence.ts',
    text: 'if (before !== grain) out.insert(aggregate, isOne',
    instead: 'out.insert(aggregate, isOne',
    equal: 'what the same grain covers already adds the empty span; to leave it out only saves the work',
  },
  {
    file: 'record-presence.ts',
    text: 'before === activeBefore && after === activeAfter',
    instead: 'before === activeBefore',
  },
  {
    file: 'record-presence.ts',
    text: 'grain, activeBefore, activeAfter);',
    instead: 'grain, before, after);',
  },
  { file: 'record-presence.ts', text: 'among & ~AMONG_VISITORS, grain', instead: 'among, grain' },
  { file: 'record-presence.ts', text: ' && last.from < (grain + 1) * grainMs', instead: '' },
  {
    file: 'record-presence.ts',
    text: 'active === 0 ? METRIC.visitorsRelated : METRIC.activeRelated',
    instead: 'METRIC.visitorsRelated',
  },
  {
    file: 'presence.ts',
    text: '(moments[place - MOMENT] ?? 0) > grain',
    instead: '(moments[place - MOMENT] ?? 0) >= grain',
  },
  { file: 'presence.ts', text: '(mark & 1) >= active', instead: '(mark & 1) === active' },
  { file: 'presence.ts', text: ' && moments[length] === undefined', instead: '' },
  { file: 'presence.ts', text: 'if (isIt && !active && (mark & 1) === 1) return presence;', instead: '' },
  {
    file: 'presence.ts',
    text: 'placeOf(moments, length, grain - 1)',
    instead: 'placeOf(moments, length, grain)',
  },
  { file: 'presence.ts', text: 'codes[value >> 1] ?? 0) + (value & 1)', instead: 'codes[value >> 1] ?? 0)' },
];

const THINNING: readonly PlantedFault[] = [
  {
    file: 'thinned-presence.ts',
    text: 'keptZones[list] === zone && keptBuckets[list] === bucket',
    instead: 'keptZones[list] === zone',
  },
  { file: 'thinned-presence.ts', text: 'let list = mark & ~1;', instead: 'let list = mark;' },
  {
    file: 'thinned-presence.ts',
    text: 'grid.windows[zone + 1];\n    const bucket',
    instead: 'grid.windows[zone + 2];\n    const bucket',
  },
  { file: 'thinned-presence.ts', text: 'let zone = -1;\n  for', instead: 'let zone = 0;\n  for' },
];

const LINKS: readonly PlantedFault[] = [
  { file: 'add-related.ts', text: 'cursor = end;', instead: '' },
  { file: 'add-related.ts', text: 'relatedTo(link.to, window)', instead: 'relatedTo(link.to, window) - 1' },
  {
    file: 'add-related.ts',
    text: 'Math.floor(link.from / window.slideMs)',
    instead: 'Math.ceil(link.from / window.slideMs)',
  },
  {
    file: 'coverage.ts',
    text: 'Math.floor((to - 1) / window.slideMs) + window.ends',
    instead: 'Math.floor(to / window.slideMs) + window.ends',
  },
  {
    file: 'coverage.ts',
    text: 'Math.floor(to / window.slideMs);',
    instead: 'Math.floor((to - 1) / window.slideMs);',
  },
  { file: 'coverage.ts', text: 'const start = Math.max(from, horizon);', instead: 'const start = from;' },
  { file: 'coverage.ts', text: 'inAfter ? 1 : -1', instead: 'inAfter ? -1 : 1' },
  {
    file: 'coverage.ts',
    text: 'start <= last)',
    instead: 'start < last)',
  },
  {
    file: 'coverage.ts',
    text: 'if (before.length > same + 1 ||',
    instead: 'if (before.length > same + 2 ||',
  },
  {
    file: 'coverage.ts',
    text: 'Math.max(window.horizon, coveredTo(',
    instead: 'Math.max(window.horizon, -coveredTo(',
  },
  {
    file: 'coverage.ts',
    text: 'const clip = Math.max(window.horizon, ',
    instead: 'const clip = Math.max(-Infinity, ',
  },
  {
    file: 'coverage.ts',
    text: 'if (link !== undefined && link.to > link.from) return',
    instead: 'if (link !== undefined) return',
  },
  { file: 'coverage.ts', text: 'from >= to || newFrom >= newTo || ', instead: '' },
  { file: 'coverage.ts', text: 'if (newTo < to) emit(window, newTo, to, -1);', instead: '' },
  { file: 'coverage.ts', text: 'if (from < newFrom) emit(window, from, newFrom, -1);', instead: '' },
  { file: 'person-replaced.ts', text: 'from - window.ends + 1', instead: 'from - window.ends + 2' },
  {
    file: 'person-replaced.ts',
    text: 'joinedTo = Math.min(bucket + window.ends, to)',
    instead: 'joinedTo = bucket + window.ends',
  },
  {
    file: 'person-replaced.ts',
    text: 'if (start > joinedTo) {',
    instead: 'if (start >= joinedTo) {',
    equal: 'spans that touch are recorded as two instead of one',
  },
  {
    file: 'person-replaced.ts',
    text: 'stockChanged(spans, NO_SPANS,',
    instead: 'stockChanged(spans, spans,',
  },
  {
    file: 'person-replaced.ts',
    text: 'before.reachable ?? before, after.reachable ?? after',
    instead: 'before, after.reachable ?? after',
  },
  {
    file: 'person-replaced.ts',
    text: 'METRIC.activeRelated, 1, presence',
    instead: 'METRIC.activeRelated, 0, presence',
  },
];

const MONEY: readonly PlantedFault[] = [
  { file: 'money-changed.ts', text: 'Math.max(bucket, window.horizon)', instead: 'bucket' },
  { file: 'money-changed.ts', text: '[inChannel, inAll]', instead: '[inChannel]' },
  {
    file: 'money-changed.ts',
    text: 'METRIC.refunds, from, to, change.refundMinor',
    instead: 'METRIC.gross, from, to, change.refundMinor',
  },
  {
    file: 'money-changed.ts',
    text: 'const to = bucket + window.ends;',
    instead: 'const to = bucket + window.ends + 1;',
  },
  {
    file: 'buyers-changed.ts',
    text: 'if (moment <= grain) {',
    instead: 'if (moment < grain) {',
    equal: 'a neighbour at the same grain, after it instead of before it, leaves an empty span as well',
  },
  {
    file: 'buyers-changed.ts',
    text: 'if (isHere && moment > beforeHere)',
    instead: 'if (moment > beforeHere)',
  },
  {
    file: 'buyers-changed.ts',
    text: 'if (isHere && moment < afterHere)',
    instead: 'if (moment < afterHere)',
  },
  {
    file: 'buyers-changed.ts',
    text: 'buyersReplaced(before, after, null, out.allChannels(ctx.brand), ctx, out);',
    instead: '',
  },
  {
    file: 'buyers-changed.ts',
    text: 'channel === null || where === channel)',
    instead: 'where === channel)',
  },
];

const FIGURES: readonly PlantedFault[] = [
  { file: 'difference-pages.ts', text: '  page.fill(0, from, to);\n', instead: '' },
  {
    file: 'difference-pages.ts',
    text: 'if (this.nearKeys[slot] === key) this.nearKeys[slot] = NaN;',
    instead: '',
  },
  {
    file: 'difference-pages.ts',
    text: 'if (key >= boundary) continue;',
    instead: 'if (key > boundary) continue;',
  },
  { file: 'difference-pages.ts', text: 'held > key && held < next', instead: 'held > key && held > next' },
  {
    file: 'difference-pages.ts',
    text: 'figures[cell + METRIC.activeRelated] = (figures[cell + METRIC.activeRelated] ?? 0) + value;',
    instead: '',
  },
  { file: 'window-changes.ts', text: 'if (from < to) this.push', instead: 'this.push' },
  { file: 'window-changes.ts', text: 'this.room.cells.set(cells);', instead: '' },
  { file: 'window-figure.ts', text: 'this.pages.addAmong(to, among, -1);', instead: '' },
  {
    file: 'window-figure.ts',
    text: 'if (to > this.taken) this.atTaken[metric]',
    instead: 'if (to >= this.taken) this.atTaken[metric]',
  },
  {
    file: 'window-figure.ts',
    text: 'if (to > this.taken) addAmong',
    instead: 'if (to >= this.taken) addAmong',
  },
  {
    file: 'window-figure.ts',
    text: 'front.horizon, front.rowsFrom));\n    if',
    instead: 'front.horizon, front.horizon));\n    if',
  },
  {
    file: 'window-figure.ts',
    text: 'if (end > front.closed) continue;',
    instead: 'if (end >= front.closed) continue;',
  },
  { file: 'window-figure.ts', text: 'const due = end > this.taken || this', instead: 'const due = this' },
  { file: 'window-figure.ts', text: 'if (end > this.nonZeroTo && end > front', instead: 'if (end > front' },
  {
    file: 'window-figure.ts',
    text: ' && end > front.unknownTo && isZero(sums)',
    instead: ' && isZero(sums)',
  },
  {
    file: 'window-figure.ts',
    text: 'if (!unknown && !this.emitted.has(end) && isZero',
    instead: 'if (!this.emitted.has(end) && isZero',
  },
  {
    file: 'window-figure.ts',
    text: 'if (!unknown && !this.emitted.has(end) && isZero',
    instead: 'if (!unknown && isZero',
  },
  {
    file: 'window-figure.ts',
    text: 'if (!this.has(end)) return unknown || !isZero(values);',
    instead: 'if (!this.has(end)) return !isZero(values);',
  },
  {
    file: 'window-figure.ts',
    text: 'new EmittedEnds(latenessEnds + OPEN_ENDS_MAX + 2)',
    instead: 'new EmittedEnds(latenessEnds + 1)',
  },
  {
    file: 'window-figure.ts',
    text: 'if (end > this.nonZeroTo && !isZero(values)) this.nonZeroTo = end;',
    instead: '',
  },
  {
    file: 'window-figure.ts',
    text: 'return this.nonZeroTo < this.first && isZero',
    instead: 'return isZero',
  },
  {
    file: 'window-figure.ts',
    text: '    this.correctable = true;\n    if (to > this.taken) addAmong',
    instead: '    if (to > this.taken) addAmong',
  },
  {
    file: 'window-figure.ts',
    text: 'if (end <= this.first) return;',
    instead: '',
  },
];

const ENDS: readonly PlantedFault[] = [
  {
    file: 'window-figures.ts',
    text: 'end - spec.widthMs < this.startedAt',
    instead: 'end - spec.widthMs <= this.startedAt',
  },
  { file: 'window-figures.ts', text: 'figures.unknownTo = specs.map(() => Infinity);', instead: '' },
  {
    file: 'window-figures.ts',
    text: 'closedTo(spec, this.watermark) + OPEN_ENDS_MAX',
    instead: 'closedTo(spec, this.watermark)',
  },
  { file: 'window-figures.ts', text: 'closed <= (this.beats', instead: 'closed < (this.beats' },
  { file: 'window-figures.ts', text: 'Math.max(nowEnd, closed + 1)', instead: 'nowEnd' },
  { file: 'window-figures.ts', text: 'closed + OPEN_ENDS_MAX)', instead: 'closed + 2 * OPEN_ENDS_MAX)' },
  { file: 'window-figures.ts', text: 'figure.idle && figure.first', instead: 'figure.first' },
  { file: 'window-figures.ts', text: '(endIndex + 1) * spec.slideMs', instead: 'endIndex * spec.slideMs' },
  {
    file: 'window-grid.ts',
    text: 'Math.floor(watermark / spec.slideMs) - 1',
    instead: 'Math.floor(watermark / spec.slideMs)',
  },
  {
    file: 'window-grid.ts',
    text: 'Math.floor((watermark - spec.latenessMs) / spec.slideMs)',
    instead: 'Math.ceil((watermark - spec.latenessMs) / spec.slideMs)',
  },
  {
    file: 'window-grid.ts',
    text: 'if (bucket >= window.lateFrom) continue;',
    instead: 'if (bucket > window.lateFrom) continue;',
    equal: 'such a bucket has missed the ends from itself up to itself: none',
  },
  { file: 'window-grid.ts', text: 'lasting ? window.lateFrom : ', instead: '' },
  { file: 'window-grid.ts', text: 'Math.max(bucket, window.rowsFrom)', instead: 'bucket' },
  {
    file: 'window-grid.ts',
    text: 'Math.ceil(fineRowsFrom / spec.slideMs) - 1',
    instead: 'Math.ceil(fineRowsFrom / spec.slideMs)',
  },
];

export const PLANTED_FAULTS: readonly PlantedFault[] = [
  ...INSERTION,
  ...PRESENCE,
  ...THINNING,
  ...LINKS,
  ...MONEY,
  ...FIGURES,
  ...ENDS,
];
