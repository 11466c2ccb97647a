/** A promotion night as the relationship log has it: encoded records, in batches, with what is true of them. */
import type { RelationshipLogCodec } from '#contracts';
import { admit, DEFAULT_ADMISSION_LIMITS } from '#domain';
import { mixOf, nightEvents, personsIn } from './night-events.js';

export const NIGHT_FROM = Date.UTC(2026, 10, 10, 12);
const NIGHT_MS = 2 * 3_600_000;
const TICK_MS = 10_000;

export interface NightLog {
  readonly records: RecordBytes;
  readonly events: number;
  readonly mix: string;
  readonly persons: number;
  readonly paidMinor: number;
}

export interface NightLogOptions {
  readonly events: number;
  readonly persons: number;
  readonly seed: number;
}

export function nightLog(codec: RelationshipLogCodec, options: NightLogOptions): NightLog {
  const events = nightEvents({ ...options, from: NIGHT_FROM, lengthMs: NIGHT_MS });
  const records = new RecordBytes();
  let tickAt = NIGHT_FROM;
  let paidMinor = 0;
  for (const [offset, event] of events.entries()) {
    const source = { topic: `touchpoint.${event.type}`, partition: 0, offset };
    const arrivedAt = event.sentAt;
    for (; tickAt <= arrivedAt; tickAt += TICK_MS) {
      records.push(codec.encode({ type: 'tick', at: tickAt, arrivedAt: tickAt }));
    }
    const admission = admit(event, { ...source, arrivedAt }, DEFAULT_ADMISSION_LIMITS);
    if (!admission.ok) throw new Error(`the night made an event that is refused: ${admission.detail}`);
    const { touchpoint, detail } = admission;
    if (touchpoint.type === 'orderPaid') paidMinor += touchpoint.amountMinor;
    records.push(codec.encode(touchpoint, { detail, source }));
  }
  return { records, events: events.length, mix: mixOf(events), persons: personsIn(events), paidMinor };
}

/** Records one behind the other, cut into batches as a consumer gets them: a million buffers at once would be the heap's. */
class RecordBytes {
  readonly #chunks: Buffer[] = [];
  readonly #ends: number[] = [];
  #bytes: Buffer | null = null;
  #size = 0;

  get length(): number {
    return this.#ends.length;
  }

  push(value: Buffer): void {
    this.#chunks.push(value);
    this.#size += value.length;
    this.#ends.push(this.#size);
  }

  batch(from: number, to: number): readonly Buffer[] {
    const bytes = (this.#bytes ??= Buffer.concat(this.#chunks.splice(0)));
    let start = this.#ends[from - 1] ?? 0;
    return this.#ends.slice(from, to).map((end) => {
      const value = bytes.subarray(start, end);
      start = end;
      return value;
    });
  }
}
