import type { SourceTouchpoint } from '#domain';
import type { SeededRandom } from './night/seeded-random.js';

const HOUR = 3_600_000;

/** A record as a broken producer would send it: bytes that cannot be read, or values that cannot be. */
export function spoil(
  event: SourceTouchpoint,
  encode: (event: SourceTouchpoint) => Buffer,
  random: SeededRandom,
): Buffer {
  const good = encode(event);
  switch (random.below(6)) {
    case 0:
      return good.subarray(0, 5 + random.below(Math.max(1, good.length - 5)));
    case 1:
      return Buffer.from('{"not":"avro"}');
    case 2: {
      const unknown = Buffer.from(good);
      unknown.writeInt32BE(2_000_000_000, 1);
      return unknown;
    }
    case 3:
      return encode({ ...event, eventId: '' });
    case 4:
      return encode({ ...event, occurredAt: event.occurredAt + 2 * HOUR });
    default:
      return encode(event.type === 'order' ? { ...event, amountMinor: -1 } : { ...event, person: '' });
  }
}
