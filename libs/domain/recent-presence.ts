/** The presence records of a person that a differing record of the same id might still correct. */
import type { Channel } from './events.js';
import { withMoment, withoutMoment, type PersonPresence } from './windows/presence.js';
import { thinnedPresence } from './windows/thinned-presence.js';
import type { WindowGrid } from './windows/window-grid.js';

/** A presence record that a differing duplicate might still correct. */
export interface RecentPresence {
  readonly eventId: string;
  readonly at: number;
  readonly contentHash: number;
  readonly channel: Channel;
  readonly active: boolean;
}

/** Records kept per person at most; a person with more in one lateness is a machine. */
export const RECENT_MAX = 1_024;

/** 30-bit FNV-1a of an event id: most ids differ in it, and a number is compared faster than a text. */
export function idHashOf(eventId: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < eventId.length; i++) hash = Math.imul(hash ^ eventId.charCodeAt(i), 0x01000193);
  return (hash ^ (hash >>> 15)) & 0x3fffffff;
}

/**
 * Records by (at, eventId). Immutable, though versions share their arrays: each sees its own stretch of them, and the
 * newest may append behind that. (A copy for every event would cost busy persons more than all the rest.)
 */
export class RecentRecords implements Iterable<RecentPresence> {
  static readonly NONE = new RecentRecords([], [], 0, 0);

  /** @param hashes   of the ids, one behind the other: to look for an id must not mean to fetch every record */
  private constructor(
    private readonly shared: RecentPresence[],
    private readonly hashes: number[],
    private readonly first: number,
    private readonly end: number,
  ) {}

  /** @param records   ascending */
  static of(records: readonly RecentPresence[]): RecentRecords {
    const { length } = records;
    if (length === 0) return RecentRecords.NONE;
    return new RecentRecords(
      [...records],
      records.map(({ eventId }) => idHashOf(eventId)),
      0,
      length,
    );
  }

  get size(): number {
    return this.end - this.first;
  }

  [Symbol.iterator](): Iterator<RecentPresence> {
    return this.shared.slice(this.first, this.end)[Symbol.iterator]();
  }

  forEach(visit: (record: RecentPresence) => void): void {
    for (let i = this.first; i < this.end; i++) {
      const record = this.shared[i];
      if (record !== undefined) visit(record);
    }
  }

  /** From the end: a repetition mostly follows soon. */
  find(eventId: string, idHash: number): RecentPresence | undefined {
    const { hashes, first } = this;
    for (let i = this.end - 1; i >= first; i--) {
      if (hashes[i] !== idHash) continue;
      const known = this.shared[i];
      if (known?.eventId === eventId) return known;
    }
    return undefined;
  }

  /**
   * Keeps the record, unless it is older than `from` (ms): then no window would follow a correction to all its
   * ends anyway. What is older than `from` is left out.
   * @param idHash   of its id, by `idHashOf`
   */
  with(record: RecentPresence, idHash: number, from: number): RecentRecords {
    let first = this.firstSince(from);
    if (record.at < from) return this.since(from);
    if (this.end - first >= RECENT_MAX) first = this.end - RECENT_MAX + 1;
    const last = this.shared[this.end - 1];
    const isNewest = first === this.end || last === undefined || precedes(last, record);
    const isOwnEnd = this.shared.length === this.end && this.end > 0 && first < COMPACTED_FROM;
    if (isNewest && isOwnEnd) {
      this.shared.push(record);
      this.hashes.push(idHash);
      return new RecentRecords(this.shared, this.hashes, first, this.end + 1);
    }
    const kept = this.shared.slice(first, this.end);
    const hashes = this.hashes.slice(first, this.end);
    let place = kept.length;
    while (place > 0 && precedes(record, kept[place - 1])) place--;
    kept.splice(place, 0, record);
    hashes.splice(place, 0, idHash);
    return new RecentRecords(kept, hashes, 0, kept.length);
  }

  without(eventId: string): RecentRecords {
    return RecentRecords.of([...this].filter((record) => record.eventId !== eventId));
  }

  /** What is not older than `from` (ms). */
  since(from: number): RecentRecords {
    const first = this.firstSince(from);
    if (first === this.first) return this;
    if (first === this.end) return RecentRecords.NONE;
    return new RecentRecords(
      this.shared.slice(first, this.end),
      this.hashes.slice(first, this.end),
      0,
      this.end - first,
    );
  }

  private firstSince(from: number): number {
    let first = this.first;
    while (first < this.end && (this.shared[first]?.at ?? from) < from) first++;
    return first;
  }
}

/** An array is copied without what has been left out at its front once that is this much. */
const COMPACTED_FROM = 256;

function precedes(a: RecentPresence, b: RecentPresence | undefined): boolean {
  return b !== undefined && (a.at < b.at || (a.at === b.at && a.eventId < b.eventId));
}

/**
 * The presence as if `retracted` had not been. Its grain goes unless another record stands for it; grains that
 * had been thinned away for its sake come back from the records that are still known.
 * @param recent   the records without the retracted one
 */
export function withoutPresence(
  presence: PersonPresence,
  retracted: RecentPresence,
  recent: RecentRecords,
  grid: WindowGrid,
): PersonPresence {
  const { channel, at, active } = retracted;
  let left = withoutMoment(presence, channel, Math.floor(at / grid.grainMs), active);
  for (const record of recent) {
    if (record.channel !== channel) continue;
    left = withMoment(left, channel, Math.floor(record.at / grid.grainMs), record.active);
  }
  return thinnedPresence(left, grid);
}
