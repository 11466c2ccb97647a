import { describe, expect, it } from '@jest/globals';
import { LocalSchemaRegistry, SchemaCatalog, SOURCE_TOPICS, SourceDecoder, SourceEncoder } from '#contracts';
import { admit, DEFAULT_ADMISSION_LIMITS, type RejectReason, type SourceTouchpoint } from '#domain';
import { PromotionNight } from './night/promotion-night.js';
import { SeededRandom } from './night/seeded-random.js';
import { spoil } from './spoil.js';

const FROM = Date.UTC(2026, 10, 10, 12);
const SCENE = { run: 's', origin: 'LIVE', isPromotion: true, eventsPerSecond: 50 } as const;

describe('spoiled records', () => {
  it('are all refused by decoding or by admission, each for a reason that is named', async () => {
    const catalog = SchemaCatalog.load();
    const registry = new LocalSchemaRegistry(catalog);
    const decoder = new SourceDecoder(registry, catalog);
    const encoder = await SourceEncoder.open(registry, catalog);
    const random = new SeededRandom(3);
    const reasons = new Map<RejectReason, number>();
    const refusalOf = async (event: SourceTouchpoint): Promise<RejectReason> => {
      const topic = SOURCE_TOPICS[event.type];
      const value = spoil(event, (one) => encoder.encode(one), random);
      await decoder.prepare([value]);
      const decoded = decoder.decode(topic, value);
      if (!decoded.ok) return decoded.reject.reason;
      const arrival = { topic, partition: 0, offset: 0, arrivedAt: event.sentAt };
      const admission = admit(decoded.event, arrival, DEFAULT_ADMISSION_LIMITS);
      if (admission.ok) throw new Error(`a spoiled ${event.type} is admitted`);
      return admission.reason;
    };

    for (const event of new PromotionNight(1).between(FROM, FROM + 180_000, SCENE)) {
      const reason = await refusalOf(event);
      reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
    }

    expect([...reasons.keys()].sort()).toEqual([
      'EMPTY_ID',
      'NEGATIVE_AMOUNT',
      'TIME_AHEAD',
      'TRUNCATED',
      'UNFRAMED',
      'UNKNOWN_SCHEMA_ID',
    ]);
  });
});
