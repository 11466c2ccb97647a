/** Whatever may be said can be written and read back; whatever bytes arrive never throw. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  admit,
  CONTENT_KINDS,
  DECODE_REASONS,
  DEFAULT_ADMISSION_LIMITS,
  ENGAGEMENT_ACTIONS,
  FISSION_FORMS,
  GROUP_KINDS,
  LINK_KINDS,
  VISIT_SURFACES,
  type Credit,
  type LogEntry,
  type SourceOrder,
  type SourceRelation,
  type SourceTouchpoint,
} from '#domain';
import { LogCorruptError, TOPICS } from '#pipeline';
import { LocalSchemaRegistry } from './local-schema-registry.js';
import type { WireEntry } from './log-wire.js';
import { OwnTopic } from './own-topic.js';
import { RelationshipLogCodec } from './relationship-log-codec.js';
import { SchemaCatalog } from './schema-catalog.js';
import { SourceDecoder } from './source-decoder.js';
import { SourceEncoder } from './source-encoder.js';
import { SOURCE_KINDS, SOURCE_TOPICS } from './source-topics.js';

const catalog = SchemaCatalog.load();
const registry = new LocalSchemaRegistry(catalog);
const encoder = await SourceEncoder.open(registry, catalog);
const decoder = new SourceDecoder(registry, catalog);
const log = await RelationshipLogCodec.open(registry, catalog);
/** The general way: what is written without avsc is what avsc would write. */
const avscLog = await OwnTopic.open<WireEntry>(registry, catalog, TOPICS.relationshipLog);

const NOW = Date.UTC(2026, 10, 11);
const RUNS = { numRuns: 500 };

const id = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 24 })
  .filter((text) => text.trim() !== '' && !/[\p{Cc}\p{Cs}\ufffd|]/u.test(text) && !text.startsWith('order:'));
const optionalId = fc.option(id);
const amount = fc.nat({ max: 1_000_000_000_000 });
const count = fc.option(fc.nat({ max: 1_000_000_000_000 }));
/** avsc's zigzag is exact only up to here; admission keeps everything below. */
const WIRE_MAX = 2 ** 52;
const signed = fc.integer({ min: -WIRE_MAX, max: WIRE_MAX });
const channel = fc.option(id.filter((name) => name !== 'all'));

const head = {
  eventId: id,
  brand: id,
  channel,
  occurredAt: fc.integer({ min: DEFAULT_ADMISSION_LIMITS.earliestAt, max: NOW }),
  sentAt: fc.constant(NOW),
  origin: fc.constantFrom('LIVE' as const, 'REPLAY' as const, 'BACKFILL' as const),
  actor: fc.constantFrom('CUSTOMER' as const, 'STAFF' as const, 'BOT' as const),
  campaign: optionalId,
  entrySource: optionalId,
  publicDomain: fc.boolean(),
  paid: fc.boolean(),
  mechanism: optionalId,
  guide: optionalId,
  shareId: optionalId,
  itemId: optionalId,
  roomId: optionalId,
  groupId: optionalId,
  contentId: optionalId,
};

const order: fc.Arbitrary<SourceOrder> = fc
  .record({
    type: fc.constant('order' as const),
    ...head,
    person: optionalId,
    kind: fc.constantFrom(
      'PAID',
      'BALANCE_PAID',
      'DEPOSIT_PAID',
      'REFUNDED',
      'REVIEW_POSTED',
      'REVIEW_DELETED',
    ),
    orderId: id,
    lineId: optionalId,
    refundId: id,
    amountMinor: amount,
    currency: fc.constantFrom(null, 'CNY'),
    quantity: count,
    full: fc.boolean(),
    reviewId: optionalId,
    stars: fc.option(fc.nat({ max: 5 })),
    positive: fc.option(fc.boolean()),
  })
  .map((event) => {
    const refund = event.kind === 'REFUNDED';
    const review = event.kind.startsWith('REVIEW');
    return {
      ...event,
      refundId: refund ? event.refundId : null,
      full: refund && event.full,
      amountMinor: review ? null : event.amountMinor,
    };
  });

type FieldArbitraries<T> = { readonly [Field in keyof T]?: fc.Arbitrary<T[Field]> };

function relation(body: FieldArbitraries<SourceRelation>): fc.Arbitrary<SourceRelation> {
  const nobody = fc.constant(null);
  return fc.record({
    type: fc.constant('relation' as const),
    ...head,
    // Nobody whom the event could name besides.
    person: id.map((text) => `${text}, himself`),
    link: fc.constant<SourceRelation['link']>('MEMBER'),
    on: fc.boolean(),
    groupKind: nobody,
    inviter: nobody,
    role: nobody,
    assignee: nobody,
    linkedPerson: nobody,
    ...body,
  });
}

const sourceEvent: fc.Arbitrary<SourceTouchpoint> = fc.oneof(
  relation({
    link: fc.constantFrom(...LINK_KINDS),
    groupKind: fc.option(fc.constantFrom(...GROUP_KINDS)),
    inviter: optionalId,
  }),
  relation({ link: fc.constant('REACH' as const) }),
  relation({
    link: fc.constant('MANAGER' as const),
    role: fc.constantFrom('CUSTOMER_MANAGER' as const, 'SERVICE_MANAGER' as const),
    assignee: id,
  }),
  relation({
    link: fc.constant('ROLE' as const),
    role: fc.constantFrom('GUIDE' as const, 'DISTRIBUTOR' as const, 'AGENT' as const, 'PARTNER' as const),
    guide: id,
    inviter: optionalId,
  }),
  fc.record({
    type: fc.constant('engagement' as const),
    ...head,
    guide: id,
    person: id,
    action: fc.constantFrom('GUIDE_LOGGED_IN' as const, 'MESSAGE_DELIVERED' as const),
    couponId: fc.constant(null),
  }),
  fc.record({
    type: fc.constant('visit' as const),
    ...head,
    person: id,
    surface: fc.constantFrom(...VISIT_SURFACES),
    dwellMs: count,
  }),
  fc.record({
    type: fc.constant('engagement' as const),
    ...head,
    person: id,
    action: fc.constantFrom(...ENGAGEMENT_ACTIONS),
    couponId: optionalId,
  }),
  order,
  fc.record({
    type: fc.constant('share' as const),
    ...head,
    shareId: id,
    person: id,
    kind: fc.constant('CLICKED' as const),
    sharer: optionalId,
    parentShareId: fc.constant('the parent, longer than an id'),
    contentKind: fc.option(fc.constantFrom(...CONTENT_KINDS)),
    fissionForm: fc.option(fc.constantFrom(...FISSION_FORMS)),
  }),
);

const credit: fc.Arbitrary<Credit> = fc.record({
  type: fc.constant('credit' as const),
  brand: id,
  person: id,
  generation: fc.nat(),
  sourcePartition: fc.nat(),
  sourceOffset: fc.nat({ max: WIRE_MAX }),
  ordinal: fc.nat(),
  at: fc.integer({ min: -NOW, max: NOW }),
  arrivedAt: fc.nat({ max: NOW }),
  shareId: id,
  causeEventId: id,
  amountMinor: signed,
  conversions: fc.integer(),
});

const control: fc.Arbitrary<LogEntry> = fc.oneof(
  credit,
  fc.record({ type: fc.constant('tick' as const), at: signed, arrivedAt: fc.nat({ max: NOW }) }),
  fc.record({
    type: fc.constant('rulesSet' as const),
    // Longer than the writer's buffer.
    rulesJson: fc.oneof(fc.string(), fc.constant('規則'.repeat(10_000))),
    arrivedAt: fc.nat({ max: NOW }),
  }),
  fc.record({
    type: fc.constant('epochRaised' as const),
    epoch: fc.nat(),
    generation: fc.nat(),
    logId: fc.uuid(),
    arrivedAt: fc.nat({ max: NOW }),
  }),
);

describe('source events', () => {
  it('come back as they were sent', async () => {
    await fc.assert(
      fc.asyncProperty(sourceEvent, async (event) => {
        const value = encoder.encode(event);
        await decoder.prepare([value]);
        expect(decoder.decode(SOURCE_TOPICS[event.type], value)).toEqual({ ok: true, event });
      }),
      RUNS,
    );
  });

  it('that are damaged in any way are read or rejected with a reason, never thrown', async () => {
    const damage = fc.oneof(
      fc.record({ kind: fc.constant('cut' as const), at: fc.nat(), bit: fc.nat({ max: 7 }) }),
      fc.record({ kind: fc.constant('flip' as const), at: fc.nat(), bit: fc.nat({ max: 7 }) }),
      fc.record({ kind: fc.constant('append' as const), at: fc.nat(), bit: fc.nat({ max: 7 }) }),
    );
    await fc.assert(
      fc.asyncProperty(
        sourceEvent,
        fc.array(damage, { minLength: 1, maxLength: 3 }),
        fc.constantFrom(...SOURCE_KINDS),
        async (event, damages, kind) => {
          let value = Buffer.from(encoder.encode(event));
          for (const { kind: how, at, bit } of damages) {
            const place = value.length === 0 ? 0 : at % value.length;
            if (how === 'cut') value = value.subarray(0, place);
            else if (how === 'append') value = Buffer.concat([value, Buffer.of(at & 0xff)]);
            else if (value.length > 0) value[place] = (value[place] ?? 0) ^ (1 << bit);
          }
          await decoder.prepare([value]);
          const decoded = decoder.decode(SOURCE_TOPICS[kind], value);
          if (!decoded.ok) expect(DECODE_REASONS).toContain(decoded.reject.reason);
        },
      ),
      { numRuns: 2_000 },
    );
  });
});

describe('log entries', () => {
  it('come back as intake made them, with their details and source', () => {
    fc.assert(
      fc.property(sourceEvent, fc.nat({ max: 2 ** 40 }), (event, offset) => {
        const source = { topic: SOURCE_TOPICS[event.type], partition: 3, offset };
        const admission = admit(event, { ...source, arrivedAt: NOW }, DEFAULT_ADMISSION_LIMITS);
        if (!admission.ok) throw new Error(`${admission.reason}: ${admission.detail}`);
        const { touchpoint, detail } = admission;
        const value = log.encode(touchpoint, { detail, source });
        expect(log.decode(value)).toEqual(touchpoint);
        expect(log.decodeDetailed(value)).toEqual({ entry: touchpoint, detail, source });
        expect(avscLog.encode(avscLog.decode(value)).equals(value)).toBe(true);
        const bare = log.encode(touchpoint);
        expect(log.decode(bare)).toEqual(touchpoint);
        expect(log.decodeDetailed(bare).entry).toEqual(touchpoint);
      }),
      RUNS,
    );
  });

  it('of control come back', () => {
    fc.assert(
      fc.property(control, (entry) => {
        const value = log.encode(entry);
        expect(log.decode(value)).toEqual(entry);
        expect(log.decodeDetailed(value)).toEqual({ entry, detail: null, source: null });
      }),
      RUNS,
    );
  });

  it('that are cut short are corrupt, wherever the cut is', () => {
    fc.assert(
      fc.property(sourceEvent, fc.nat(), (event, at) => {
        const arrival = { topic: 't', partition: 0, offset: 0, arrivedAt: NOW };
        const admission = admit(event, arrival, DEFAULT_ADMISSION_LIMITS);
        if (!admission.ok) throw new Error(admission.detail);
        const value = log.encode(admission.touchpoint);
        const cut = value.subarray(0, at % value.length);
        expect(() => log.decode(cut)).toThrow(LogCorruptError);
        expect(() => log.decodeDetailed(cut)).toThrow(LogCorruptError);
      }),
      RUNS,
    );
  });
});
