/** The stored form of `WindowFigures`. These lines are the storage format: a change needs a new version. */
import type { WindowSpec } from '../rules.js';
import { ByteReader } from './byte-reader.js';
import { ByteWriter } from './byte-writer.js';
import type { Aggregate } from './window-changes.js';
import { METRICS } from './window-metrics.js';

const VERSION = 2;

interface SnapshotHead {
  /** ms */
  readonly fineRowsFrom: number;
  /** ms; Infinity before the first tick. */
  readonly startedAt: number;
  /** ms; −Infinity before the first tick. */
  readonly watermark: number;
}

interface FigureToSave {
  readonly first: number;
  readonly base: Iterable<number>;
  readonly pages: { forEach(visit: (end: number, metric: number, value: number) => void): void };
}

interface Cell {
  readonly end: number;
  readonly metric: number;
  readonly value: number;
}

interface SavedFigure {
  readonly first: number;
  readonly base: readonly number[];
  readonly cells: readonly Cell[];
}

export interface FiguresToSave extends SnapshotHead {
  readonly specs: readonly WindowSpec[];
  readonly aggregates: readonly (Aggregate & { readonly windows: readonly FigureToSave[] })[];
}

export interface SavedFigures extends SnapshotHead {
  readonly aggregates: readonly (Aggregate & { readonly windows: readonly SavedFigure[] })[];
}

export function writeSnapshot(figures: FiguresToSave): Uint8Array {
  const out = new ByteWriter();
  out.integer(VERSION);
  out.integer(figures.specs.length);
  for (const { id, widthMs, slideMs, latenessMs } of figures.specs) {
    out.text(id);
    for (const part of [widthMs, slideMs, latenessMs]) out.integer(part);
  }
  for (const bound of [figures.fineRowsFrom, figures.startedAt, figures.watermark]) out.bound(bound);
  out.integer(figures.aggregates.length);
  for (const { brand, channel, windows } of [...figures.aggregates].sort(byName)) {
    out.text(brand);
    out.text(channel);
    for (const figure of windows) writeFigure(figure, out);
  }
  return out.finish();
}

// Cells as (ends since the cell before, metric, value), closed by a metric that does not exist.
function writeFigure(figure: FigureToSave, out: ByteWriter): void {
  out.bound(figure.first);
  for (const value of figure.base) out.integer(value);
  let before = 0;
  figure.pages.forEach((end, metric, value) => {
    out.integer(metric);
    out.integer(end - before);
    out.integer(value);
    before = end;
  });
  out.integer(METRICS);
}

/** @throws RangeError when the bytes are damaged, of another version, or of other windows than `specs`. */
export function readSnapshot(bytes: Uint8Array, specs: readonly WindowSpec[]): SavedFigures {
  const input = new ByteReader(bytes);
  const version = input.integer();
  // Of a metric that was not kept, nothing can be made up: FOLD_VERSION goes up with this one.
  if (version !== VERSION) throw new RangeError(`the figures are of version ${version}, not ${VERSION}`);
  const windows = input.count();
  const same = specs.map(({ id, widthMs, slideMs, latenessMs }) => {
    if (windows !== specs.length) return false;
    const sameId = input.text() === id;
    return [widthMs, slideMs, latenessMs].map((part) => input.integer() === part).every(Boolean) && sameId;
  });
  if (!same.every(Boolean)) {
    throw new RangeError('the stored figures are of other windows: they must be rebuilt from the log');
  }
  const head = { fineRowsFrom: input.bound(), startedAt: input.bound(), watermark: input.bound() };
  const aggregates = times(input.count(), () => ({
    brand: input.text(),
    channel: input.text(),
    windows: specs.map(() => readFigure(input)),
  }));
  input.end();
  return { ...head, aggregates };
}

function readFigure(input: ByteReader): SavedFigure {
  const first = input.bound();
  const base = times(METRICS, () => input.integer());
  const cells: Cell[] = [];
  let end = 0;
  for (let metric = input.count(); metric < METRICS; metric = input.count()) {
    end += input.integer();
    cells.push({ end, metric, value: input.integer() });
  }
  return { first, base, cells };
}

function times<T>(count: number, make: () => T): readonly T[] {
  const made: T[] = [];
  for (let i = 0; i < count; i++) made.push(make());
  return made;
}

function byName(a: Aggregate, b: Aggregate): number {
  if (a.brand !== b.brand) return a.brand < b.brand ? -1 : 1;
  return a.channel < b.channel ? -1 : a.channel > b.channel ? 1 : 0;
}
