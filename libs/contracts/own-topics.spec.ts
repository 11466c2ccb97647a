/** The codecs of our own topics: keys, values, and what they do with bytes that are not theirs. */
import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { REJECT_REASONS, type TierChanged } from '#domain';
import { LogCorruptError, type IntakeProgress, type LogGeneration, type TierSnapshot } from '#pipeline';
import { DEAD_VALUE_BYTES_MAX, DeadLetterCodec } from './dead-letter-codec.js';
import { IntakeProgressCodec } from './intake-progress-codec.js';
import { LocalSchemaRegistry } from './local-schema-registry.js';
import { LogGenerationCodec } from './log-generation-codec.js';
import { RelationshipLogCodec } from './relationship-log-codec.js';
import { SchemaCatalog } from './schema-catalog.js';
import { TierChangedCodec } from './tier-changed-codec.js';
import { TiersCodec } from './tiers-codec.js';

const catalog = SchemaCatalog.load();
const registry = new LocalSchemaRegistry(catalog);
const tierChanges = await TierChangedCodec.open(registry, catalog);
const tiers = await TiersCodec.open(registry, catalog);
const progress = await IntakeProgressCodec.open(registry, catalog);
const generations = await LogGenerationCodec.open(registry, catalog);
const deadLetters = await DeadLetterCodec.open(registry, catalog);
const log = await RelationshipLogCodec.open(registry, catalog);

/** Beyond 2^53, and beyond what an Avro long holds. */
const VERSION = (1n << 48n) * 40_000n + 12_345n;

function valueOf(encoded: { readonly value: Buffer | null }): Buffer {
  if (encoded.value === null) throw new Error('a tombstone');
  return encoded.value;
}

describe('tier-changes', () => {
  const fact: TierChanged = {
    type: 'tierChanged',
    brand: 'b',
    person: 'p|1',
    schemeId: 'rolling:30d',
    periodId: 'rolling:30d',
    from: 4,
    to: 2,
    direction: 'DOWN',
    cause: 'TIME',
    causeEventId: null,
    effectiveAt: 1_000,
    detectedAt: 2_000,
    version: VERSION,
    evidence: { purchaseDays: ['1969-12-31', '2026-11-11'], everPurchased: true, lastShareAt: 5 },
  };

  it('come back under the key brand|person', () => {
    const encoded = tierChanges.encode(fact);
    expect(encoded.key).toBe('b|p|1');
    expect(tierChanges.decode(valueOf(encoded))).toEqual(fact);
  });

  it('refuse a day that is none', () => {
    const evidence = { ...fact.evidence, purchaseDays: ['11 Nov'] };
    expect(() => tierChanges.encode({ ...fact, evidence })).toThrow('not a day');
  });
});

describe('tiers', () => {
  it('come back under the key brand|scheme|person', () => {
    const snapshot: TierSnapshot = {
      brand: 'b',
      person: 'p',
      schemeId: 'calendar:month',
      periodId: '2026-11',
      tier: 3,
      effectiveAt: 1,
      detectedAt: 2,
      version: VERSION,
    };
    const encoded = tiers.encode(snapshot);
    expect(encoded.key).toBe('b|calendar:month|p');
    expect(tiers.decode(valueOf(encoded))).toEqual(snapshot);
  });
});

describe('intake-progress', () => {
  it.each([null, 42])('comes back under the key topic|partition (event time %s)', (eventTo) => {
    const state: IntakeProgress = {
      topic: 'touchpoint.visit',
      partition: 2,
      nextOffset: 2 ** 47,
      readTo: 9,
      eventTo,
      caughtUp: true,
    };
    const encoded = progress.encode(state);
    expect(encoded.key).toBe('touchpoint.visit|2');
    expect(progress.decode(valueOf(encoded))).toEqual(state);
  });
});

describe('log-generations', () => {
  it('come back under the key log id|partition', () => {
    const generation: LogGeneration = {
      ...{
        logId: 'l',
        partition: 3,
        generation: 2,
        epoch: 40,
        position: 2 ** 47,
        foldVersion: 2,
        beganAt: 9,
      },
    };
    const encoded = generations.encode(generation);
    expect(encoded.key).toBe('l|3');
    expect(generations.decode(valueOf(encoded))).toEqual(generation);
  });
});

describe('dead-letters', () => {
  const source = { topic: 'touchpoint.order', partition: 1, offset: 77 };
  const letter = { source, arrivedAt: 5, reason: 'TRUNCATED', detail: 'why', key: Buffer.from('k') } as const;

  it('keep the bytes as they came', () => {
    const value = Buffer.of(0, 1, 2, 255);
    const encoded = deadLetters.encode({ ...letter, value });
    expect(encoded.key).toBe('touchpoint.order|1');
    expect(deadLetters.decode(valueOf(encoded))).toEqual({
      ...letter,
      value,
      sizeBytes: 4,
      sha256: createHash('sha256').update(value).digest('hex'),
      truncated: false,
    });
  });

  it('cut long bytes, with the hash and the size of all of them', () => {
    const value = Buffer.alloc(DEAD_VALUE_BYTES_MAX + 1, 7);
    const stored = deadLetters.decode(valueOf(deadLetters.encode({ ...letter, value })));
    expect(stored.value).toEqual(value.subarray(0, DEAD_VALUE_BYTES_MAX));
    expect(stored.sizeBytes).toBe(value.length);
    expect(stored.sha256).toBe(createHash('sha256').update(value).digest('hex'));
    expect(stored.truncated).toBe(true);
  });

  it('have no bytes where there were none', () => {
    const stored = deadLetters.decode(valueOf(deadLetters.encode({ ...letter, key: null, value: null })));
    expect(stored).toMatchObject({ key: null, value: null, sizeBytes: 0, truncated: false });
  });

  it('have a symbol for every reason', () => {
    for (const reason of REJECT_REASONS) {
      const stored = deadLetters.decode(valueOf(deadLetters.encode({ ...letter, reason, value: null })));
      expect(stored.reason).toBe(reason);
    }
  });
});

describe('our own topics', () => {
  const foreign = valueOf(
    progress.encode({ topic: 't', partition: 0, nextOffset: 1, readTo: 1, eventTo: null, caughtUp: false }),
  );

  it.each([
    ['nothing', null],
    ['no framing', Buffer.from('hello')],
    ['another topic’s record', foreign],
  ])('take %s for corruption', (_title, value) => {
    expect(() => log.decode(value)).toThrow(LogCorruptError);
    expect(() => log.decodeDetailed(value)).toThrow(LogCorruptError);
  });
});
