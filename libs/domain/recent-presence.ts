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

/** Numbers of a record: its instant, its content hash, and 2 · the hash of its id + (1 where active). */
const NUMBERS = 3;
/** Texts of a record: its event id, its channel. */
const TEXTS = 2;

/**
 * Records by (at, eventId), field behind field in two arrays: as objects they would be most of what a state is made of,
 * and all of that is walked through by each large collection of garbage. Immutable, though versions share their arrays:
 * each sees its own stretch of them, and the newest may append behind that. (A copy for every event would cost busy
 * persons more than all the rest.)
 */
export class RecentRecords implements Iterable<RecentPresence> {
  static readonly NONE = new RecentRecords([], [], 0, 0);

  readonly #numbers: number[];
  readonly #texts: (string | undefined)[];
  readonly #first: number;
  readonly #end: number;

  /** @param first   the stretch [first, end) of records is this version's */
  private constructor(numbers: number[], texts: (string | undefined)[], first: number, end: number) {
    this.#numbers = numbers;
    this.#texts = texts;
    this.#first = first;
    this.#end = end;
  }

  /** @param next   gives so many records, ascending */
  static from(count: number, next: () => RecentPresence): RecentRecords {
    if (count === 0) return RecentRecords.NONE;
    const numbers = new Array<number>(NUMBERS * count);
    const texts = new Array<string | undefined>(TEXTS * count);
    for (let place = 0; place < count; place++) {
      const record = next();
      put(numbers, texts, place, record, idHashOf(record.eventId));
    }
    return new RecentRecords(numbers, texts, 0, count);
  }

  /** @param records   ascending */
  static of(records: readonly RecentPresence[]): RecentRecords {
    const left = records.values();
    return RecentRecords.from(records.length, () => left.next().value as RecentPresence);
  }

  get size(): number {
    return this.#end - this.#first;
  }

  *[Symbol.iterator](): Generator<RecentPresence> {
    for (let place = this.#first; place < this.#end; place++) yield this.#recordAt(place);
  }

  forEach(
    visit: (eventId: string, at: number, contentHash: number, channel: Channel, active: boolean) => void,
  ): void {
    for (let place = this.#first; place < this.#end; place++) {
      visit(
        this.#eventIdAt(place),
        this.#at(place),
        this.#contentHashAt(place),
        this.#channelAt(place),
        this.#isActiveAt(place),
      );
    }
  }

  /** From the end: a repetition mostly follows soon. */
  find(eventId: string, idHash: number): RecentPresence | undefined {
    const numbers = this.#numbers;
    for (let place = this.#end - 1; place >= this.#first; place--) {
      if ((numbers[NUMBERS * place + 2] ?? 0) >> 1 !== idHash) continue;
      if (this.#eventIdAt(place) === eventId) return this.#recordAt(place);
    }
    return undefined;
  }

  /**
   * Keeps the record, unless it is older than `from` (ms): then no window would follow a correction to all its
   * ends anyway. What is older than `from` is left out.
   * @param idHash   of its id, by `idHashOf`
   */
  with(record: RecentPresence, idHash: number, from: number): RecentRecords {
    if (record.at < from) return this.since(from);
    const end = this.#end;
    let first = this.#firstSince(from);
    if (end - first >= RECENT_MAX) first = end - RECENT_MAX + 1;
    let place = end;
    while (place > first && this.#isBehind(place - 1, record)) place--;
    if (place === end && first < COMPACTED_FROM && this.#hasRoomAtOwnEnd()) {
      put(this.#numbers, this.#texts, end, record, idHash);
      return new RecentRecords(this.#numbers, this.#texts, first, end + 1);
    }
    const size = end - first + 1;
    const room = capacityFor(size);
    const numbers = new Array<number>(NUMBERS * room);
    const texts = new Array<string | undefined>(TEXTS * room);
    this.#copy(first, place, numbers, texts, 0);
    put(numbers, texts, place - first, record, idHash);
    this.#copy(place, end, numbers, texts, place - first + 1);
    return new RecentRecords(numbers, texts, 0, size);
  }

  without(eventId: string): RecentRecords {
    return RecentRecords.of([...this].filter((record) => record.eventId !== eventId));
  }

  /** What is not older than `from` (ms). */
  since(from: number): RecentRecords {
    const first = this.#firstSince(from);
    const end = this.#end;
    if (first === this.#first) return this;
    if (first === end) return RecentRecords.NONE;
    const numbers = this.#numbers.slice(NUMBERS * first, NUMBERS * end);
    return new RecentRecords(numbers, this.#texts.slice(TEXTS * first, TEXTS * end), 0, end - first);
  }

  #firstSince(from: number): number {
    let first = this.#first;
    while (first < this.#end && this.#at(first) < from) first++;
    return first;
  }

  #isBehind(place: number, { at, eventId }: RecentPresence): boolean {
    const other = this.#at(place);
    return at < other || (at === other && eventId < this.#eventIdAt(place));
  }

  /** Nothing stands behind this version's end, not even another version's record. */
  #hasRoomAtOwnEnd(): boolean {
    const texts = this.#texts;
    const behind = TEXTS * this.#end;
    return behind < texts.length && texts[behind] === undefined;
  }

  #copy(first: number, end: number, numbers: number[], texts: (string | undefined)[], to: number): void {
    for (let from = NUMBERS * first, at = NUMBERS * to; from < NUMBERS * end; from++, at++) {
      numbers[at] = this.#numbers[from] ?? 0;
    }
    for (let from = TEXTS * first, at = TEXTS * to; from < TEXTS * end; from++, at++) {
      texts[at] = this.#texts[from];
    }
  }

  #recordAt(place: number): RecentPresence {
    return {
      eventId: this.#eventIdAt(place),
      at: this.#at(place),
      contentHash: this.#contentHashAt(place),
      channel: this.#channelAt(place),
      active: this.#isActiveAt(place),
    };
  }

  #at(place: number): number {
    return this.#numbers[NUMBERS * place] ?? 0;
  }

  #contentHashAt(place: number): number {
    return this.#numbers[NUMBERS * place + 1] ?? 0;
  }

  #isActiveAt(place: number): boolean {
    return ((this.#numbers[NUMBERS * place + 2] ?? 0) & 1) === 1;
  }

  #eventIdAt(place: number): string {
    return this.#texts[TEXTS * place] ?? '';
  }

  #channelAt(place: number): Channel {
    return this.#texts[TEXTS * place + 1] ?? '';
  }
}

/** What has been left out at the front of the arrays is copied no more once it is this much. */
const COMPACTED_FROM = 256;

function put(
  numbers: number[],
  texts: (string | undefined)[],
  place: number,
  { eventId, at, contentHash, channel, active }: RecentPresence,
  idHash: number,
): void {
  numbers[NUMBERS * place] = at;
  numbers[NUMBERS * place + 1] = contentHash;
  numbers[NUMBERS * place + 2] = 2 * idHash + (active ? 1 : 0);
  texts[TEXTS * place] = eventId;
  texts[TEXTS * place + 1] = channel;
}

/** Records there is room for: half as many again, and little for the many who come once or twice. */
function capacityFor(size: number): number {
  return size <= 2 ? 2 : Math.ceil(1.5 * size);
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
