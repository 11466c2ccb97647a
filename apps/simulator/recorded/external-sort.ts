/**
 * Sorts more than memory holds as objects: sorted runs of encoded items, the first ones in memory and the others on disk,
 * then a merge of all of them. A small input is neither encoded nor written anywhere.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { ByteReader, ByteWriter } from '#domain';
import { RunWriter, type SortedRun } from './sorted-run.js';

export interface SortOptions<T> {
  /** Made when the first run is written to disk, removed with all of its content by `dispose`. */
  readonly directory: string;
  /** A total order, so that the result does not depend on the runs. */
  readonly compare: (left: T, right: T) => number;
  readonly encode: (item: T, out: ByteWriter) => void;
  readonly decode: (bytes: ByteReader) => T;
  /** A run ends when it holds this many items … */
  readonly runItemsMax: number;
  /** … or items of this weight together. */
  readonly runWeightMax: number;
  /** Once runs hold so many bytes in memory, further ones go to the disk. */
  readonly memoryBytesMax: number;
  /** Runs read at the same time; with more, some are merged into one first. ≥ 2. */
  readonly fanInMax: number;
}

export class ExternalSorter<T> {
  private items: T[] = [];
  private isInOrder = true;
  private weight = 0;
  private count = 0;
  private runs: SortedRun<T>[] = [];
  private runNumber = 0;
  private memoryBytes = 0;
  private readonly writer: RunWriter<T>;

  constructor(private readonly options: SortOptions<T>) {
    this.writer = new RunWriter(options);
  }

  get size(): number {
    return this.count;
  }

  /** Some items lie on the disk. */
  get spilled(): boolean {
    return this.runs.some(({ file }) => file !== null);
  }

  /** @param weight   characters of memory that the item keeps, roughly */
  add(item: T, weight: number): void {
    const last = this.items.at(-1);
    // What is recorded mostly comes in order.
    if (this.isInOrder && last !== undefined && this.options.compare(last, item) > 0) this.isInOrder = false;
    this.items.push(item);
    this.count++;
    this.weight += weight;
    if (this.items.length >= this.options.runItemsMax || this.weight >= this.options.runWeightMax)
      this.endRun();
  }

  /** To be called once, after the last `add`: leaves at most `fanInMax` runs to merge. */
  finish(): void {
    if (this.runs.length === 0) {
      this.sort();
      return;
    }
    if (this.items.length > 0) this.endRun();
    while (this.runs.length > this.options.fanInMax) {
      const some = this.runs.splice(0, this.options.fanInMax);
      this.runs.push(this.writer.write(mergeRuns(some, this.options.compare), this.nextFile()));
      for (const run of some) run.drop();
    }
  }

  /** The sorted items; may be asked for more than once, each time from the start. */
  *sorted(): Generator<T> {
    if (this.runs.length === 0) yield* this.items;
    else yield* mergeRuns(this.runs, this.options.compare);
  }

  dispose(): void {
    this.items = [];
    this.runs = [];
    rmSync(this.options.directory, { recursive: true, force: true });
  }

  private endRun(): void {
    this.sort();
    const inMemory = this.memoryBytes < this.options.memoryBytesMax;
    const run = this.writer.write(this.items, inMemory ? null : this.nextFile());
    if (inMemory) this.memoryBytes += run.bytes;
    this.runs.push(run);
    this.items = [];
    this.isInOrder = true;
    this.weight = 0;
  }

  private sort(): void {
    if (!this.isInOrder) this.items.sort(this.options.compare);
    this.isInOrder = true;
  }

  private nextFile(): string {
    mkdirSync(this.options.directory, { recursive: true });
    this.runNumber++;
    return join(this.options.directory, `run-${this.runNumber}`);
  }
}

interface Head<T> {
  item: T;
  /** Of two equal items the one of the earlier run comes first. */
  readonly run: number;
  readonly rest: Generator<T>;
}

function* mergeRuns<T>(runs: readonly SortedRun<T>[], compare: (left: T, right: T) => number): Generator<T> {
  const heap: Head<T>[] = [];
  const before = (left: Head<T>, right: Head<T>): boolean => {
    const order = compare(left.item, right.item);
    return order !== 0 ? order < 0 : left.run < right.run;
  };
  const sources = runs.map((run) => run.items());
  try {
    for (const [run, rest] of sources.entries()) {
      const first = rest.next();
      if (first.done === true) continue;
      heap.push({ item: first.value, run, rest });
      siftUp(heap, before);
    }
    for (let top = heap[0]; top !== undefined; top = heap[0]) {
      yield top.item;
      const next = top.rest.next();
      if (next.done !== true) {
        top.item = next.value;
      } else {
        const last = heap.pop();
        if (last === undefined || heap.length === 0) return;
        heap[0] = last;
      }
      siftDown(heap, before);
    }
  } finally {
    for (const rest of sources) rest.return(undefined);
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
