import { describe, expect, it } from '@jest/globals';
import { parseCanonical } from './canonical-touchpoint.js';

const DEFAULTS = { brand: 'b', eventId: 'f#1', origin: 'REPLAY' } as const;

function fault(line: string): string {
  const result = parseCanonical(line, DEFAULTS);
  return result.ok ? 'ok' : `${result.reason}: ${result.detail}`;
}

describe('parseCanonical', () => {
  it('reads an order with the defaults of its schema', () => {
    const line =
      '{"type":"order","kind":"PAID","person":"p","occurred_at":1000,"order_id":"o","amount_minor":5}';
    expect(parseCanonical(line, DEFAULTS)).toMatchObject({
      ok: true,
      event: {
        type: 'order',
        kind: 'PAID',
        eventId: 'f#1',
        brand: 'b',
        person: 'p',
        channel: null,
        occurredAt: 1000,
        sentAt: 1000,
        origin: 'REPLAY',
        actor: 'CUSTOMER',
        orderId: 'o',
        lineId: null,
        amountMinor: 5,
        full: false,
      },
    });
  });

  it.each([
    [
      '{"topic":"touchpoint.visit","event_id":"e","person":"p","occurred_at":"2024-11-11T00:00:00+08:00","surface":"PAGE"}',
      'visit',
    ],
    [
      '{"type":"relation","person":"p","occurred_at":1,"link":"MEMBER","on":false,"group_kind":"NORMAL"}',
      'relation',
    ],
    ['{"type":"engagement","person":"p","occurred_at":1,"action":"CART"}', 'engagement'],
    [
      '{"type":"share","person":"p","occurred_at":1,"kind":"CLICKED","share_id":"s","content_kind":"ITEM"}',
      'share',
    ],
  ])('%s', (line, type) => {
    expect(parseCanonical(line, DEFAULTS)).toMatchObject({ ok: true, event: { type } });
  });

  it('leaves newer symbols to intake', () => {
    const line = '{"type":"engagement","person":"p","occurred_at":1,"action":"TELEPATHY"}';
    expect(parseCanonical(line, DEFAULTS)).toMatchObject({ ok: true, event: { action: 'UNKNOWN' } });
  });

  it.each([
    ['', 'BAD_JSON: the line is no JSON object'],
    ['{"type":"order"', 'BAD_JSON: the line is no JSON object'],
    ['[1]', 'BAD_JSON: the line is no JSON object'],
    ['null', 'BAD_JSON: the line is no JSON object'],
    ['{"occurred_at":1}', 'BAD_TOUCHPOINT: type is not relation, visit, engagement, order or share'],
    ['{"type":"order","kind":"PAID"}', 'BAD_TOUCHPOINT: occurred_at is missing'],
    [
      '{"type":"order","kind":"PAID","occurred_at":"2024-11-11"}',
      'BAD_TOUCHPOINT: occurred_at is not milliseconds or an ISO instant with a zone',
    ],
    [
      '{"type":"order","kind":"PAID","occurred_at":1,"amount_minor":1.5}',
      'BAD_TOUCHPOINT: amount_minor is not an integer',
    ],
    [
      '{"type":"order","kind":"PAID","occurred_at":1,"person":17850}',
      'BAD_TOUCHPOINT: person is not a string',
    ],
    ['{"type":"order","occurred_at":1}', 'BAD_TOUCHPOINT: kind is missing'],
    ['{"type":"relation","occurred_at":1,"link":"MEMBER"}', 'BAD_TOUCHPOINT: on is missing'],
  ])('%s', (line, expected) => {
    expect(fault(line)).toBe(expected);
  });
});
