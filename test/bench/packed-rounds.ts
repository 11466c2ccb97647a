/** Records of a load, encoded before it begins: who measures how long others take must not take the processor himself. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { SourceEncoder } from '#contracts';
import type { SourceTouchpoint } from '#domain';
import type { OutgoingRecord } from '#pipeline';
import { sourceRecords } from './embedded.js';

export interface RoundsOptions {
  readonly encoder: SourceEncoder;
  /** Of each source topic. */
  readonly partitions: number;
  readonly eventsPerRound: number;
  readonly roundMs: number;
  /** Instant of the first round, ms; events say that they happened, and were sent, at that of their round. */
  readonly beginsAt: number;
}

/** One round's records in a few large pieces, which cost a garbage collection nothing. */
interface Packed {
  readonly topics: readonly string[];
  readonly partitions: Uint16Array;
  /** Where each key ends, and each value behind it. */
  readonly ends: Uint32Array;
  readonly bytes: Buffer;
}

/** Rounds that are encoded between two turns of the event loop: a subscriber in this process has to say that he lives. */
const ROUNDS_PER_TURN = 50;

export class PackedRounds {
  private constructor(private readonly rounds: readonly Packed[]) {}

  /** Takes the events out of the array, so that they need not be held beside their records. */
  static async of(events: SourceTouchpoint[], options: RoundsOptions): Promise<PackedRounds> {
    const { encoder, partitions, eventsPerRound, roundMs, beginsAt } = options;
    const rounds: Packed[] = [];
    events.reverse();
    for (let at = beginsAt; events.length > 0; at += roundMs) {
      const own = events.splice(-eventsPerRound).reverse();
      const live = own.map((event) => ({ ...event, sentAt: at, occurredAt: at }));
      rounds.push(packed(sourceRecords(live, encoder, partitions)));
      if (rounds.length % ROUNDS_PER_TURN === 0) await nextTurn();
    }
    return new PackedRounds(rounds);
  }

  get count(): number {
    return this.rounds.length;
  }

  /** @throws RangeError when there is no such round */
  records(round: number): OutgoingRecord[] {
    const own = this.rounds[round];
    if (own === undefined) throw new RangeError(`round ${round} of ${this.count}`);
    let from = 0;
    const next = (end = 0): Buffer => {
      const piece = own.bytes.subarray(from, end);
      from = end;
      return piece;
    };
    return own.topics.map((topic, nth) => ({
      topic,
      partition: own.partitions[nth] ?? 0,
      key: next(own.ends[2 * nth]),
      value: next(own.ends[2 * nth + 1]),
    }));
  }
}

function packed(records: readonly OutgoingRecord[]): Packed {
  const pieces = records.flatMap(({ key, value }) => [Buffer.from(key ?? ''), value ?? Buffer.alloc(0)]);
  let end = 0;
  return {
    topics: records.map(({ topic }) => topic),
    partitions: Uint16Array.from(records, ({ partition }) => partition),
    ends: Uint32Array.from(pieces, ({ length }) => (end += length)),
    bytes: Buffer.concat(pieces),
  };
}
