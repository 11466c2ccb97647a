/** The presence records of a person that a differing record of the same id might still correct. */
import type { Channel } from './events.js';
import { withMoment, withoutMoment, type PersonPresence } from './windows/presence.js';
import { thinnedPresence } from './windows/thinned-presence.js';
import type { WindowGrid } from './windows/window-grid.js';

/** A presence record that a differing duplicate might still correct. */
export interface RecentPresence {
  readonly eventId: string;
  /** 31-bit hash of the id: numbers are compared before texts are. Not stored. */
  readonly idHash: number;
  readonly at: number;
  readonly contentHash: number;
  readonly channel: Channel;
  readonly active: boolean;
}

/** Records kept per person at most; a person with more in one lateness is a machine. */
export const RECENT_MAX = 1_024;

/** 31-bit FNV-1a of an event id: most ids differ in it, and a number is compared faster than a text. */
export function idHashOf(eventId: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < eventId.length; i++) hash = Math.imul(hash ^ eventId.charCodeAt(i), 0x01000193);
  return (hash ^ (hash >>> 15)) & 0x3fffffff;
}

/**
 * Records by (at, eventId). Immutable, though versions share one array: each sees its own stretch of it, and the
 * newest may append behind that. (A copy for every event would cost busy persons more than all the rest.)
 */
export class RecentRecords implements Iterable<RecentPresence> {
  static readonly NONE = new RecentRecords([], 0, 0);

  private constructor(
    private readonly shared: RecentPresence[],
    private readonly first: number,
    private readonly end: number,
  ) {}

  /** @param records   ascending */
  static of(records: readonly RecentPresence[]): RecentRecords {
    return records.length === 0 ? RecentRecords.NONE : new RecentRecords([...records], 0, records.length);
  }

  get size(): number {
    return this.end - this.first;
  }

  [Symbol.iterator](): Iterator<RecentPresence> {
    return this.shared.slice(this.first, this.end)[Symbol.iterator]();
  }

  /** From the end: a repetition mostly follows soon. */
  find(eventId: string, idHash: number): RecentPresence | undefined {
    for (let i = this.end - 1; i >= this.first; i--) {
      const known = this.shared[i];
      if (known?.idHash === idHash && known.eventId === eventId) return known;
    }
    return undefined;
  }

  /**
   * Keeps the record, unless it is older than `from` (ms): then no window would follow a correction to all its
   * ends anyway. What is older than `from` is left out.
   */
  with(record: RecentPresence, from: number): RecentRecords {
    let first = this.firstSince(from);
    if (record.at < from) return this.since(from);
    if (this.end - first >= RECENT_MAX) first = this.end - RECENT_MAX + 1;
    const last = this.shared[this.end - 1];
    const isNewest = first === this.end || last === undefined || precedes(last, record);
    const isOwnEnd = this.shared.length === this.end && this.end > 0 && first < COMPACTED_FROM;
    if (isNewest && isOwnEnd) {
      this.shared.push(record);
      return new RecentRecords(this.shared, first, this.end + 1);
    }
    const kept = this.shared.slice(first, this.end);
    let place = kept.length;
    while (place > 0 && precedes(record, kept[place - 1])) place--;
    if (place === kept.length) kept.push(record);
    else kept.splice(place, 0, record);
    return new RecentRecords(kept, 0, kept.length);
  }

  without(eventId: string): RecentRecords {
    return RecentRecords.of([...this].filter((record) => record.eventId !== eventId));
  }

  /** What is not older than `from` (ms). */
  since(from: number): RecentRecords {
    const first = this.firstSince(from);
    if (first === this.first) return this;
    return RecentRecords.of(this.shared.slice(first, this.end));
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
