/** What is written and read without avsc is what avsc writes and reads. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Tier, TierChanged } from '#domain';
import { LogCorruptError, TOPICS, type TierSnapshot } from '#pipeline';
import { toEpochDay } from './epoch-day.js';
import { LocalSchemaRegistry } from './local-schema-registry.js';
import { OwnTopic } from './own-topic.js';
import { SchemaCatalog } from './schema-catalog.js';
import { TierChangedCodec, type WireTierChanged } from './tier-changed-codec.js';
import { TiersCodec, type WireTierSnapshot } from './tiers-codec.js';

const catalog = SchemaCatalog.load();
const registry = new LocalSchemaRegistry(catalog);
const changes = await TierChangedCodec.open(registry, catalog);
const tiers = await TiersCodec.open(registry, catalog);
const avscChanges = await OwnTopic.open<WireTierChanged>(registry, catalog, TOPICS.tierChanges);
const avscTiers = await OwnTopic.open<WireTierSnapshot>(registry, catalog, TOPICS.tiers);

/** Without lone surrogates, which intake refuses and avsc writes as no UTF-8. Long enough for the way through C++, and of more than a slab. */
const text = fc.oneof(
  fc.string({ maxLength: 80 }),
  fc.string({ unit: 'binary', maxLength: 80 }),
  fc.constantFrom('', '场域引力', 'a'.repeat(30_000)),
);
/** avsc's zigzag is exact only up to here. */
const instant = fc.integer({ min: -(2 ** 52), max: 2 ** 52 });
const tier = fc.constantFrom<Tier>(0, 1, 2, 3, 4, 5);
const version = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const day = fc
  .date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true })
  .map((date) => date.toISOString().slice(0, 10));

const fact: fc.Arbitrary<TierChanged> = fc.record({
  type: fc.constant('tierChanged' as const),
  brand: text,
  person: text,
  schemeId: text,
  periodId: text,
  from: tier,
  to: tier,
  direction: fc.constantFrom('UP' as const, 'DOWN' as const),
  cause: fc.constantFrom('EVENT', 'TIME', 'REFUND', 'UNLINK', 'MERGE', 'RESTATE', 'ERASURE'),
  causeEventId: fc.option(text),
  effectiveAt: instant,
  detectedAt: instant,
  version,
  evidence: fc.record({
    purchaseDays: fc.array(day, { maxLength: 40 }),
    everPurchased: fc.boolean(),
    lastShareAt: fc.option(instant),
  }),
});

const snapshot: fc.Arbitrary<TierSnapshot> = fc.record({
  ...{ brand: text, person: text, schemeId: text, periodId: text },
  ...{ tier, effectiveAt: instant, detectedAt: instant, version },
});

function wireOf({ type: _type, from, to, evidence, version: number, ...same }: TierChanged): WireTierChanged {
  const purchaseDays = evidence.purchaseDays.map(toEpochDay);
  const version = number.toString();
  return { ...same, fromTier: from, toTier: to, version, evidence: { ...evidence, purchaseDays } };
}

function bytesOf({ value }: { readonly value: Buffer | null }): Buffer {
  if (value === null) throw new Error('a tombstone');
  return value;
}

/** For a failure that can be printed. */
function asText(value: unknown): string {
  return JSON.stringify(value, (_key, one: unknown) => (typeof one === 'bigint' ? one.toString() : one));
}

describe('tier-changes and tiers without avsc', () => {
  it('are the same bytes, and come back', () => {
    fc.assert(
      fc.property(fc.array(fact, { maxLength: 8 }), (facts) => {
        // All of them before any is looked at: no record may be written over by the next.
        const written = facts.map((one) => bytesOf(changes.encode(one)));
        facts.forEach((one, i) => {
          const bytes = written[i] ?? Buffer.alloc(0);
          expect(bytes.equals(avscChanges.encode(wireOf(one)))).toBe(true);
          expect(asText(changes.decode(bytes))).toBe(asText(one));
        });
      }),
    );
  });

  it('are the same bytes of a snapshot', () => {
    fc.assert(
      fc.property(fc.array(snapshot, { maxLength: 8 }), (snapshots) => {
        const written = snapshots.map((one) => bytesOf(tiers.encode(one)));
        snapshots.forEach((one, i) => {
          const expected = avscTiers.encode({ ...one, version: one.version.toString() });
          expect(written[i]?.equals(expected)).toBe(true);
        });
      }),
    );
  });

  it('refuse what is no integer, and go on', () => {
    const one = fc.sample(fact, { numRuns: 1, seed: 1 })[0];
    if (one === undefined) throw new Error('no sample');
    expect(() => changes.encode({ ...one, effectiveAt: 0.5 })).toThrow(RangeError);
    expect(asText(changes.decode(bytesOf(changes.encode(one))))).toBe(asText(one));
  });

  it('read broken bytes as avsc does, or refuse them', () => {
    fc.assert(
      fc.property(fact, fc.nat(), fc.nat({ max: 255 }), fc.boolean(), (one, place, byte, isCut) => {
        const whole = bytesOf(changes.encode(one));
        const at = 5 + (place % (whole.length - 5));
        const broken = isCut ? Buffer.from(whole.subarray(0, at)) : Buffer.from(whole);
        if (!isCut) broken[at] = byte;
        try {
          changes.decode(broken);
        } catch (error) {
          expect(error).toBeInstanceOf(LogCorruptError);
        }
      }),
      { numRuns: 500 },
    );
  });
});
