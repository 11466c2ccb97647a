import { describe, expect, it } from '@jest/globals';
import { contentHash } from './content-hash.js';
import type { SourceOrder, SourceRelation, SourceVisit } from './source-events.js';

const visit: SourceVisit = {
  type: 'visit',
  eventId: 'e1',
  brand: 'brand-1',
  person: 'p1',
  channel: null,
  occurredAt: Date.UTC(2026, 10, 11),
  sentAt: 1,
  origin: 'LIVE',
  actor: 'CUSTOMER',
  campaign: null,
  entrySource: null,
  publicDomain: true,
  paid: false,
  mechanism: null,
  guide: null,
  shareId: null,
  itemId: '商品-😀',
  roomId: null,
  groupId: null,
  contentId: null,
  surface: 'ITEM',
  dwellMs: 1_234,
};

const { type: _type, surface: _surface, dwellMs: _dwellMs, ...head } = visit;
const refund: SourceOrder = {
  ...head,
  type: 'order',
  kind: 'REFUNDED',
  orderId: 'o1',
  lineId: '2',
  refundId: 'r1',
  amountMinor: 2 ** 40 + 7,
  currency: 'CNY',
  quantity: 3,
  full: true,
  reviewId: null,
  stars: null,
  positive: null,
};

describe('contentHash', () => {
  // Written down in people's logs: a change here changes which of two differing records of one id wins.
  it('has these values for ever', () => {
    expect(contentHash(visit, 'shop', 'p1')).toBe(3_099_422_280_214_061);
    expect(contentHash(refund, 'live', 'p1')).toBe(4_065_917_021_055_228);
    expect(contentHash({ ...visit, occurredAt: -1 }, 'shop', 'p1')).toBe(602_851_773_819_627);
  });

  it('is the same for the same content, whenever and under whatever id it was sent', () => {
    const again = { ...visit, eventId: 'e2', sentAt: 99, origin: 'REPLAY' as const };
    expect(contentHash(again, 'shop', 'p1')).toBe(contentHash(visit, 'shop', 'p1'));
  });

  it('takes an empty text for none', () => {
    expect(contentHash({ ...visit, campaign: '' }, 'shop', 'p1')).toBe(contentHash(visit, 'shop', 'p1'));
  });

  it('differs with every field', () => {
    const variants: readonly Partial<SourceOrder>[] = [
      { brand: 'brand-2' },
      { occurredAt: visit.occurredAt + 1 },
      { occurredAt: visit.occurredAt + 2 ** 32 },
      { actor: 'STAFF' },
      { campaign: 'x' },
      { entrySource: 'x' },
      { publicDomain: false },
      { paid: true },
      { mechanism: 'x' },
      { guide: 'x' },
      { shareId: 'x' },
      { itemId: 'x' },
      { roomId: 'x' },
      { groupId: 'x' },
      { contentId: 'x' },
      { kind: 'PAID' },
      { orderId: 'x' },
      { lineId: 'x' },
      { refundId: 'x' },
      { amountMinor: 0 },
      { amountMinor: null },
      { currency: null },
      { quantity: 0 },
      { full: false },
      { reviewId: 'x' },
      { stars: 0 },
      { positive: false },
      { positive: true },
    ];
    const hashes = variants.map((change) => contentHash({ ...refund, ...change }, 'shop', 'p1'));
    hashes.push(contentHash(refund, 'shop', 'p1'), contentHash(refund, 'live', 'p1'));
    hashes.push(contentHash(refund, 'shop', 'p2'));
    expect(new Set(hashes).size).toBe(variants.length + 3);
  });

  it('differs with every field of what relations say', () => {
    const body = { type: 'relation', link: 'MANAGER', on: true, groupKind: null, inviter: null } as const;
    const none = { role: null, assignee: null, linkedPerson: null };
    const manager: SourceRelation = { ...head, ...body, ...none, role: 'AGENT', assignee: 'a' };
    const variants: readonly Partial<SourceRelation>[] = [
      {},
      { link: 'ROLE' },
      { on: false },
      { groupKind: 'NORMAL' },
      { inviter: 'x' },
      { role: 'PARTNER' },
      { role: null },
      { assignee: 'x' },
      { assignee: null },
      { linkedPerson: 'x' },
    ];
    const hashes = variants.map((change) => contentHash({ ...manager, ...change }, 'shop', 'p1'));
    expect(new Set(hashes).size).toBe(variants.length);
  });

  it('spreads over 52 bits without collisions', () => {
    const seen = new Set<number>();
    let all = 0n;
    for (let at = 0; at < 50_000; at++) {
      const hash = contentHash({ ...visit, dwellMs: at }, 'shop', `p${at % 100}`);
      expect(hash >= 0 && hash < 2 ** 52).toBe(true);
      seen.add(hash);
      all |= BigInt(hash);
    }
    expect(seen.size).toBe(50_000);
    expect(all).toBe(2n ** 52n - 1n);
  });
});
