/**
 * Sorts more than memory holds: sorted runs on disk, then a merge of all of them. A small input never touches the
 * disk.
 */
import { closeSync, mkdirSync, openSync, readSync, rmSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';

export interface SortOptions<T> {
  /** Made when the first run is written, removed with all of its content by `dispose`. */
  readonly directory: string;
  /** A total order, so that the result does not depend on the runs. */
  readonly compare: (left: T, right: T) => number;
  /** One line without a line break. */
  readonly encode: (item: T) => string;
  readonly decode: (line: string) => T;
  /** A run ends when it holds this many items … */
  readonly runItemsMax: number;
  /** … or items of this weight together. */
  readonly runWeightMax: number;
  /** Runs read at the same time; with more, some are merged into one first. ≥ 2. */
  readonly fanInMax: number;
}

const WRITE_BYTES = 1 << 20;
const READ_BYTES = 1 << 18;

export class ExternalSorter<T> {
  private items: T[] = [];
  private weight = 0;
  private count = 0;
  private runs: string[] = [];
  private runNumber = 0;

  constructor(private readonly options: SortOptions<T>) {}

  get size(): number {
    return this.count;
  }

  /** Items that lie on the disk. */
  get spilled(): boolean {
    return this.runs.length > 0;
  }

  /** @param weight   characters of memory that the item keeps, roughly */
  add(item: T, weight: number): void {
    this.items.push(item);
    this.count++;
    this.weight += weight;
    if (this.items.length >= this.options.runItemsMax || this.weight >= this.options.runWeightMax)
      this.spill();
  }

  /** To be called once, after the last `add`: leaves at most `fanInMax` runs to merge. */
  finish(): void {
    if (this.runs.length === 0) {
      this.items.sort(this.options.compare);
      return;
    }
    if (this.items.length > 0) this.spill();
    while (this.runs.length > this.options.fanInMax) {
      const some = this.runs.splice(0, this.options.fanInMax);
      const merged = this.nextRun();
      writeLines(merged, mergeRuns(some, this.options), this.options.encode);
      this.runs.push(merged);
      for (const run of some) unlinkSync(run);
    }
  }

  /** The sorted items; may be asked for more than once, each time from the start. */
  *sorted(): Generator<T> {
    if (this.runs.length === 0) yield* this.items;
    else yield* mergeRuns(this.runs, this.options);
  }

  dispose(): void {
    this.items = [];
    this.runs = [];
    rmSync(this.options.directory, { recursive: true, force: true });
  }

  private spill(): void {
    if (this.runs.length === 0) mkdirSync(this.options.directory, { recursive: true });
    this.items.sort(this.options.compare);
    const run = this.nextRun();
    writeLines(run, this.items, this.options.encode);
    this.runs.push(run);
    this.items = [];
    this.weight = 0;
  }

  private nextRun(): string {
    this.runNumber++;
    return join(this.options.directory, `run-${this.runNumber}`);
  }
}

function writeLines<T>(file: string, items: Iterable<T>, encode: (item: T) => string): void {
  const fd = openSync(file, 'w');
  try {
    let lines: string[] = [];
    let chars = 0;
    for (const item of items) {
      const line = encode(item);
      lines.push(line);
      chars += line.length + 1;
      if (chars < WRITE_BYTES) continue;
      writeAll(fd, `${lines.join('\n')}\n`);
      lines = [];
      chars = 0;
    }
    if (lines.length > 0) writeAll(fd, `${lines.join('\n')}\n`);
  } catch (error) {
    // A full disk does not say which one.
    if (error instanceof Error && !('path' in error)) Object.assign(error, { path: file });
    throw error;
  } finally {
    closeSync(fd);
  }
}

function writeAll(fd: number, text: string): void {
  const bytes = Buffer.from(text, 'utf8');
  for (let from = 0; from < bytes.length;) from += writeSync(fd, bytes, from);
}

function* readLines(file: string): Generator<string> {
  const fd = openSync(file, 'r');
  try {
    const buffer = Buffer.allocUnsafe(READ_BYTES);
    const decoder = new TextDecoder('utf-8');
    let rest = '';
    for (let length = readSync(fd, buffer); length > 0; length = readSync(fd, buffer)) {
      const text = rest + decoder.decode(buffer.subarray(0, length), { stream: true });
      let from = 0;
      for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', from)) {
        yield text.slice(from, end);
        from = end + 1;
      }
      rest = text.slice(from);
    }
  } finally {
    closeSync(fd);
  }
}

interface Head<T> {
  item: T;
  /** Of two equal items the one of the earlier run comes first. */
  readonly run: number;
  readonly lines: Generator<string>;
}

function* mergeRuns<T>(files: readonly string[], options: SortOptions<T>): Generator<T> {
  const heap: Head<T>[] = [];
  const before = (left: Head<T>, right: Head<T>): boolean => {
    const order = options.compare(left.item, right.item);
    return order !== 0 ? order < 0 : left.run < right.run;
  };
  const sources = files.map((file) => readLines(file));
  try {
    for (const [run, lines] of sources.entries()) {
      const first = lines.next();
      if (first.done === true) continue;
      heap.push({ item: options.decode(first.value), run, lines });
      siftUp(heap, before);
    }
    for (let top = heap[0]; top !== undefined; top = heap[0]) {
      yield top.item;
      const next = top.lines.next();
      if (next.done !== true) {
        top.item = options.decode(next.value);
      } else {
        const last = heap.pop();
        if (last === undefined || heap.length === 0) return;
        heap[0] = last;
      }
      siftDown(heap, before);
    }
  } finally {
    for (const lines of sources) lines.return(undefined);
  }
}

function siftUp<H>(heap: H[], before: (left: H, right: H) => boolean): void {
  let at = heap.length - 1;
  while (at > 0) {
    const parent = (at - 1) >> 1;
    if (!swapIf(heap, at, parent, before)) return;
    at = parent;
  }
}

function siftDown<H>(heap: H[], before: (left: H, right: H) => boolean): void {
  let at = 0;
  for (;;) {
    const left = 2 * at + 1;
    const leftItem = heap[left];
    if (leftItem === undefined) return;
    const rightItem = heap[left + 1];
    const child = rightItem !== undefined && before(rightItem, leftItem) ? left + 1 : left;
    if (!swapIf(heap, child, at, before)) return;
    at = child;
  }
}

/** Swaps when the item at `lower` belongs before the one at `upper`. */
function swapIf<H>(heap: H[], lower: number, upper: number, before: (left: H, right: H) => boolean): boolean {
  const lowerItem = heap[lower];
  const upperItem = heap[upper];
  if (lowerItem === undefined || upperItem === undefined || !before(lowerItem, upperItem)) return false;
  heap[lower] = upperItem;
  heap[upper] = lowerItem;
  return true;
}
