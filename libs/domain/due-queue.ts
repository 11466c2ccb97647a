import { DUE_NOW, type DueChanges, type DueIndex, type DueMove } from './due-index.js';

interface DueEntry {
  readonly dueAt: number;
  readonly key: string;
}

/**
 * The due index as a batch sees it: what is committed, overlaid by what the batch has moved. Hands out who is
 * due by (instant, key), whatever the batches were; the committed index stays as it is.
 */
export class DueQueue {
  private readonly moves = new Map<string, DueMove>();
  private everybody = false;
  /** Moved keys by the instant they were moved to; some may have been moved on since, or stand there twice. */
  private readonly movedTo = new Map<number, string[]>();
  /** No moved key is due before this; may be too early, never too late. */
  private movedFrom = Infinity;
  // Where reading the committed index has come to. The watermark never goes back, so neither does this.
  private instants: readonly number[] | null = null;
  private instant = 0;
  private position = 0;
  private committedAt = 0;

  constructor(private readonly committed: DueIndex) {}

  get changes(): DueChanges {
    return { everybody: this.everybody, moves: this.moves };
  }

  /**
   * A state was looked at anew.
   * @param from   where the state said it was due before
   * @param to     where it is due now; undefined when it is gone
   */
  move(key: string, from: number | undefined, to: number | undefined): void {
    const known = this.moves.get(key);
    this.moves.set(key, { from: known === undefined ? from : known.from, to });
    // At rest nobody is due, and most are moved to where they stood.
    if (to === undefined || to === Infinity) return;
    if (known?.to !== to) this.noteMoved(key, to);
  }

  private noteMoved(key: string, to: number): void {
    const there = this.movedTo.get(to);
    if (there === undefined) this.movedTo.set(to, [key]);
    else there.push(key);
    if (to < this.movedFrom) this.movedFrom = to;
  }

  /** New rules: everybody is due. */
  allDue(): void {
    this.movedTo.clear();
    for (const [key, { from, to }] of this.moves) {
      if (to === undefined) continue;
      this.moves.set(key, { from, to: DUE_NOW });
      this.noteMoved(key, DUE_NOW);
    }
    this.everybody = true;
    this.instants = null;
  }

  /**
   * Takes the first `count` keys that are due at `watermark`. Each must be moved before the next call.
   * @returns `more`: others are due as well
   */
  take(watermark: number, count: number): { readonly keys: readonly string[]; readonly more: boolean } {
    if (count === 0) return { keys: [], more: this.committedNext(watermark) !== null };
    const moved = this.movedDue(watermark);
    const keys: string[] = [];
    let next = 0;
    while (keys.length < count) {
      const ours = moved[next];
      const theirs = this.committedNext(watermark);
      if (ours === undefined && theirs === null) return { keys, more: false };
      if (theirs === null || (ours !== undefined && isBefore(ours, this.committedAt, theirs))) {
        if (ours !== undefined) keys.push(ours.key);
        next++;
      } else {
        keys.push(theirs);
        this.position++;
      }
    }
    return { keys, more: next < moved.length || this.committedNext(watermark) !== null };
  }

  private movedDue(watermark: number): readonly DueEntry[] {
    if (this.movedFrom > watermark) return [];
    const due: DueEntry[] = [];
    let first = Infinity;
    for (const [dueAt, keys] of this.movedTo) {
      if (dueAt <= watermark) {
        const still = [...new Set(keys)].filter((key) => this.moves.get(key)?.to === dueAt);
        if (still.length === 0) {
          this.movedTo.delete(dueAt);
          continue;
        }
        this.movedTo.set(dueAt, still);
        for (const key of still) due.push({ key, dueAt });
      }
      if (dueAt < first) first = dueAt;
    }
    this.movedFrom = first;
    return due.sort((a, b) => (isBefore(a, b.dueAt, b.key) ? -1 : 1));
  }

  /** The first committed key that is due (`committedAt`) and that the batch has not moved. */
  private committedNext(watermark: number): string | null {
    this.instants ??= this.restart();
    for (;;) {
      const dueAt = this.instants[this.instant];
      if (dueAt === undefined || dueAt > watermark) return null;
      const keys = this.everybody ? this.everybodyKeys() : this.committed.keysAt(dueAt);
      for (; this.position < keys.length; this.position++) {
        const key = keys[this.position];
        if (key === undefined || this.moves.has(key)) continue;
        if (!this.everybody && !this.committed.has(key, dueAt)) continue;
        this.committedAt = dueAt;
        return key;
      }
      this.instant++;
      this.position = 0;
    }
  }

  private restart(): readonly number[] {
    this.instant = 0;
    this.position = 0;
    return this.everybody ? [DUE_NOW] : this.committed.instants();
  }

  private keysOfAll: readonly string[] | null = null;

  private everybodyKeys(): readonly string[] {
    this.keysOfAll ??= this.committed.everybody();
    return this.keysOfAll;
  }
}

function isBefore(a: DueEntry, dueAt: number, key: string): boolean {
  return a.dueAt < dueAt || (a.dueAt === dueAt && a.key < key);
}
