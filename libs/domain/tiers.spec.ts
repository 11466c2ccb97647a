/** The tiers, case by case: FAST+ sections 3 (edge cases) and 8. */
import { describe, expect, it } from '@jest/globals';
import { given } from '../testing/given.js';
import {
  follow,
  instant,
  join,
  link,
  pay,
  quit,
  refund,
  tick,
  unfollow,
  visit,
} from '../testing/touchpoint-kit.js';
import { defaultRules, defaultSchemes, type Rules } from './rules.js';

const ROLLING = 'rolling:30d';
const MONTH = 'calendar:month';
const tier = (rolling: 0 | 1 | 2 | 3 | 4, month = rolling) => ({
  [ROLLING]: { tier: rolling },
  [MONTH]: { tier: month },
});

const joined = [tick('2024-11-01 00:00:00'), join('2024-11-01 10:00:00')];

describe('the decision order', () => {
  it('no live link: 0', () => {
    given([pay('o1', '2024-11-10 10:00:00')]).then(tier(0), []);
  });
  it('a link, no member: 1', () => {
    given([])
      .when(follow('2024-11-10 10:00:00'))
      .then(tier(1), [`${ROLLING} 0→1 EVENT`, `${MONTH} 0→1 EVENT`]);
  });
  it('a member without purchase: 2', () => {
    given([follow('2024-11-10 10:00:00')])
      .when(join('2024-11-10 10:05:00'))
      .then(tier(2), [`${ROLLING} 1→2 EVENT`, `${MONTH} 1→2 EVENT`]);
  });
  it('one purchase day: 3; two: 4', () => {
    given([...joined, pay('o1', '2024-11-10 10:00:00')])
      .when(pay('o2', '2024-11-11 10:00:00'))
      .then(tier(4), [`${ROLLING} 3→4 EVENT`, `${MONTH} 3→4 EVENT`]);
  });
  it('a visit is no relation, and its visitor nobody that is known', () => {
    const harness = given([visit('2024-11-10 10:00:00')]).then({}, []);
    expect(harness.summaries()).toEqual([]);
  });
});

describe('edge case 1: days of the scheme’s zone', () => {
  it('two orders on one Shanghai day are one day', () => {
    given([...joined, pay('o1', '2024-11-10 00:00:00'), pay('o2', '2024-11-10 23:59:59')]).then(tier(3));
  });
  it('one second before midnight and one after are two', () => {
    given([...joined, pay('o1', '2024-11-10 23:59:59'), pay('o2', '2024-11-11 00:00:01')]).then(tier(4));
  });
  it('in another zone they may be one', () => {
    const rules = defaultRules({ schemes: defaultSchemes('UTC') });
    given([...joined, pay('o1', '2024-11-10 23:59:59'), pay('o2', '2024-11-11 00:00:01')], rules).then(
      tier(3),
    );
  });
  it('in a Shanghai summer of 1990 midnight is at 15:00 UTC', () => {
    given([
      join('1990-06-01T00:00:00Z'),
      pay('o1', '1990-07-01T14:59:59Z'),
      pay('o2', '1990-07-01T15:00:00Z'),
    ]).then(tier(4));
  });
});

describe('edge case 2: bought as a member', () => {
  it('bought as nobody, joined next day: no member purchase', () => {
    given([
      follow('2024-11-09 10:00:00'),
      pay('o1', '2024-11-10 10:00:00'),
      join('2024-11-11 10:00:00'),
    ]).then(tier(2));
  });
  it('joined inside the same checkout, a minute after paying', () => {
    given([pay('o1', '2024-11-10 10:00:00'), join('2024-11-10 10:01:00')]).then(tier(3));
  });
  it('… but not a millisecond later than that', () => {
    given([pay('o1', '2024-11-10 10:00:00'), join(instant('2024-11-10 10:01:00') + 1)]).then(tier(2));
  });
  it('a late join changes the tier of what was bought after it', () => {
    given([pay('o1', '2024-11-10 10:00:00')])
      .when(join('2024-11-09 10:00:00'))
      .then(tier(3), [`${ROLLING} 0→3 EVENT`, `${MONTH} 0→3 EVENT`]);
  });
});

describe('edge case 3 and 4: silence', () => {
  it('a lapsed buyer who visits daily is silent all the same', () => {
    given([
      ...joined,
      pay('o1', '2024-11-10 10:00:00'),
      visit('2024-12-09 10:00:00'),
      tick('2024-12-09 12:00:00'),
    ])
      .when(tick('2024-12-10 00:00:00'))
      .then(tier(2), [`${ROLLING} 3→2 TIME`]);
  });
  it('falls at the month’s end, at its first instant and by time', () => {
    const harness = given([...joined, pay('o1', '2024-11-10 10:00:00'), tick('2024-11-30 23:59:59')])
      .when(tick('2024-12-01 00:00:00'))
      .then({ [ROLLING]: { tier: 3 }, [MONTH]: { tier: 2, period_id: '2024-12' } }, [`${MONTH} 3→2 TIME`]);
    expect(harness.facts.at(-1)).toMatchObject({
      effectiveAt: instant('2024-12-01 00:00:00'),
      detectedAt: instant('2024-12-01 00:00:00') + 500,
      causeEventId: null,
      direction: 'DOWN',
      periodId: '2024-12',
      evidence: { purchaseDays: [], everPurchased: true },
    });
  });
  it('a visit ahead of the watermark across the edge makes the fall, once, dated at the edge', () => {
    const harness = given([...joined, pay('o1', '2024-11-10 10:00:00'), tick('2024-12-09 23:59:50')])
      .when(visit('2024-12-10 00:00:05'), tick('2024-12-10 00:00:10'))
      .then(tier(2), [`${MONTH} 3→2 TIME`, `${ROLLING} 3→2 TIME`].slice(1));
    expect(harness.facts.at(-1)?.effectiveAt).toBe(instant('2024-12-10 00:00:00'));
  });
});

describe('edge case 8: leaving', () => {
  const fanAndMember = [follow('2024-11-01 10:00:00'), ...joined, pay('o1', '2024-11-10 10:00:00')];
  it('quits membership, still a fan: 1; then a fan no more: 0', () => {
    given(fanAndMember)
      .when(quit('2024-11-11 10:00:00'))
      .then(tier(1), [`${ROLLING} 3→1 UNLINK`, `${MONTH} 3→1 UNLINK`]);
    given([...fanAndMember, quit('2024-11-11 10:00:00')])
      .when(unfollow('2024-11-12 10:00:00'))
      .then(tier(0), [`${ROLLING} 1→0 UNLINK`, `${MONTH} 1→0 UNLINK`]);
  });
  it('rejoins: his member days count again', () => {
    given([...fanAndMember, quit('2024-11-11 10:00:00')])
      .when(join('2024-11-12 10:00:00'))
      .then(tier(3), [`${ROLLING} 1→3 EVENT`, `${MONTH} 1→3 EVENT`]);
  });
  it('quits in another channel than he joined in: membership is one', () => {
    given([join('2024-11-01 10:00:00', { channel: 'live' })])
      .when(quit('2024-11-02 10:00:00', { channel: 'member_center' }))
      .then(tier(0), [`${ROLLING} 2→0 UNLINK`, `${MONTH} 2→0 UNLINK`]);
  });
  it('follows of two channels are two links', () => {
    given([follow('2024-11-01 10:00:00'), link('SHOP_FAN', true, '2024-11-02 10:00:00', { channel: 'live' })])
      .when(unfollow('2024-11-03 10:00:00'))
      .then(tier(1), []);
  });
  it('what is switched at one millisecond goes by event id, not by arrival', () => {
    const at = '2024-11-01 10:00:00';
    for (const order of [
      [follow(at, { id: 'a' }), unfollow(at, { id: 'b' })],
      [unfollow(at, { id: 'b' }), follow(at, { id: 'a' })],
    ]) {
      given(order).then(tier(0));
    }
    given([unfollow(at, { id: 'a' }), follow(at, { id: 'b' })]).then(tier(1));
  });
});

describe('edge case 9: a buyer who is no member', () => {
  it('with a follow 1, without 0', () => {
    given([follow('2024-11-01 10:00:00'), pay('o1', '2024-11-10 10:00:00')]).then(tier(1));
    given([pay('o1', '2024-11-10 10:00:00')]).then({ [ROLLING]: { tier: 0, orders: 1, is_member: false } });
  });
});

describe('edge cases 11 and 12: late, and skips', () => {
  it('a late payment into the open period counts', () => {
    given([...joined, tick('2024-11-20 00:00:00')])
      .when(pay('o1', '2024-11-15 10:00:00'))
      .then(tier(3), [`${ROLLING} 2→3 EVENT`, `${MONTH} 2→3 EVENT`]);
  });
  it('a skip is one fact', () => {
    given([pay('o1', '2024-11-10 10:00:00'), pay('o2', '2024-11-11 10:00:00')])
      .when(join('2024-11-09 10:00:00'))
      .then(tier(4), [`${ROLLING} 0→4 EVENT`, `${MONTH} 0→4 EVENT`]);
  });
});

describe('section 8 row 8: refunds', () => {
  const bought = [...joined, pay('o1', '2024-11-10 10:00:00', { amount: 10_000 })];
  it('a full refund of all of a day’s orders cancels the day from then on', () => {
    given(bought)
      .when(refund('o1', '2024-11-12 10:00:00', { amount: 10_000 }))
      .then({ [ROLLING]: { tier: 2, purchase_days: 0, orders: 1, own_value_minor: 0 } }, [
        `${ROLLING} 3→2 REFUND`,
        `${MONTH} 3→2 REFUND`,
      ]);
  });
  it('while another order of the day stands, the day does', () => {
    given([...bought, pay('o2', '2024-11-10 11:00:00')])
      .when(refund('o1', '2024-11-12 10:00:00', { amount: 10_000 }))
      .then(tier(3), []);
  });
  it('a partial refund lowers money only; partial ones add up', () => {
    given(bought)
      .when(refund('o1', '2024-11-12 10:00:00', { amount: 9_999, refundId: 'a' }))
      .then({ [ROLLING]: { tier: 3, own_value_minor: 1 } }, []);
    given([...bought, refund('o1', '2024-11-12 10:00:00', { amount: 9_999, refundId: 'a' })])
      .when(refund('o1', '2024-11-13 10:00:00', { amount: 1, refundId: 'b' }))
      .then(tier(2));
  });
  it('said to be full is full, whatever the amount', () => {
    given(bought)
      .when(refund('o1', '2024-11-12 10:00:00', { amount: 1, full: true }))
      .then({ [ROLLING]: { tier: 2, own_value_minor: 9_999 } });
  });
  it('all lines refunded, each in its way, is full', () => {
    const lines = [
      ...joined,
      pay('o1', '2024-11-10 10:00:00', { line: '1', amount: 100 }),
      pay('o1', '2024-11-10 10:00:00', { line: '2', amount: 0 }),
    ];
    given([...lines, refund('o1', '2024-11-12 10:00:00', { line: '2', full: true })])
      .when(refund('o1', '2024-11-12 11:00:00', { line: '1', amount: 40, full: true }))
      .then(tier(2));
    given(lines)
      .when(refund('o1', '2024-11-12 10:00:00', { line: '2', full: true }))
      .then(tier(3), []);
  });
  it('a payment of 0 is cancelled only explicitly', () => {
    const free = [...joined, pay('o1', '2024-11-10 10:00:00', { amount: 0 })];
    given(free).then(tier(3));
    given(free)
      .when(refund('o1', '2024-11-12 10:00:00', { amount: 0 }))
      .then(tier(3), []);
    given(free)
      .when(refund('o1', '2024-11-12 10:00:00', { full: true }))
      .then(tier(2));
  });
  it('the same refund twice is one; of two different ones of an id the earlier counts', () => {
    const half = refund('o1', '2024-11-12 10:00:00', { amount: 5_000 });
    given(bought)
      .when(half, half)
      .then({ [ROLLING]: { tier: 3, own_value_minor: 5_000 } });
    for (const order of [
      [0, 1],
      [1, 0],
    ] as const) {
      const two = [half, refund('o1', '2024-11-11 10:00:00', { id: 'x', amount: 7_000 })];
      given(bought)
        .when(...order.map((i) => two[i] ?? half))
        .then({ [ROLLING]: { tier: 3, own_value_minor: 3_000 } });
    }
  });
});

describe('section 8 row 9: refunds without an order', () => {
  it('lower money, never a day', () => {
    given([...joined, pay('o1', '2024-11-10 10:00:00')])
      .when(refund(null, '2024-11-12 10:00:00', { amount: 30_000 }))
      .then({ [ROLLING]: { tier: 3, own_value_minor: -20_000 } }, []);
  });
  it('are parked until their order comes, and take effect at their own time', () => {
    const harness = given([...joined, refund('o1', '2024-11-12 10:00:00', { amount: 10_000 })])
      .when(pay('o1', '2024-11-10 10:00:00'))
      .then({ [ROLLING]: { tier: 2, own_value_minor: 0, orders: 1 } }, []);
    expect(harness.state()?.money.orders).toHaveLength(1);
  });
  it('dated before their order are money only', () => {
    given([...joined, pay('o1', '2024-11-10 10:00:00')])
      .when(refund('o1', '2024-11-10 09:59:59', { amount: 10_000, full: true }))
      .then({ [ROLLING]: { tier: 3, own_value_minor: 0 } }, []);
  });
  it('make their person known, with tier 0', () => {
    given([refund('C1', '2024-11-10 10:00:00', { amount: 500 })]).then({
      [ROLLING]: { tier: 0, orders: 0, own_value_minor: -500, first_purchase: null },
    });
  });
});

describe('section 8 row 28: duplicates', () => {
  it('of a payment: by order and line, the smaller (time, hash) counts', () => {
    const first = pay('o1', '2024-11-10 10:00:00', { amount: 100, hash: 1 });
    const other = pay('o1', '2024-11-10 10:00:00', { id: 'other', amount: 900, hash: 2 });
    for (const order of [
      [first, other],
      [other, first],
      [other, first, other, first],
    ]) {
      given([...joined, ...order]).then({ [ROLLING]: { orders: 1, own_value_minor: 100 } });
    }
  });
  it('of a link: by event id', () => {
    const early = follow('2024-11-01 10:00:00', { id: 'same' });
    const late = unfollow('2024-11-02 10:00:00', { id: 'same' });
    given([early, late]).then(tier(1));
    given([late, early]).then(tier(1));
  });
  it('two partial refunds of one line are two', () => {
    given([
      ...joined,
      pay('o1', '2024-11-10 10:00:00'),
      refund('o1', '2024-11-11 10:00:00', { line: '1', refundId: 'a', amount: 4_000 }),
      refund('o1', '2024-11-11 10:00:00', { line: '1', refundId: 'b', amount: 4_000 }),
    ]).then({ [ROLLING]: { tier: 3, own_value_minor: 2_000 } });
  });
});

describe('section 8 row 30: orders of 0', () => {
  it('are no purchase where the scheme says so', () => {
    const rules = defaultRules({ schemes: defaultSchemes('Asia/Shanghai', false) });
    given([...joined, pay('o1', '2024-11-10 10:00:00', { amount: 0 })], rules).then({
      [ROLLING]: { tier: 2, orders: 0, first_purchase: null },
    });
    given([...joined, pay('o1', '2024-11-10 10:00:00')], rules).then({ [ROLLING]: { tier: 3, orders: 1 } });
  });
});

describe('guests', () => {
  it('have money and orders, never a tier', () => {
    const guest = { person: 'order:o1' };
    const harness = given([pay('o1', '2024-11-10 10:00:00', guest)], defaultRules(), guest.person).then(
      {},
      [],
    );
    expect(harness.state(guest.person)?.money.orders).toHaveLength(1);
    expect(harness.summaries(guest.person)).toEqual([]);
    expect(harness.figures.periodRows().find(({ channel }) => channel === 'all')).toMatchObject({
      orders: 1,
      gmv_gross_minor: 10_000,
      capital: 0,
      tiers: [0, 0, 0, 0, 0, 0],
    });
  });
});

describe('periods of reports and campaigns', () => {
  const rules: Rules = defaultRules({
    schemes: [
      { ...common(), id: 'span', period: { kind: 'span', from: '2024-11-01', to: '2024-11-11' } },
      {
        ...common(),
        id: 'campaign',
        period: { kind: 'campaign', from: '2024-11-01', to: '2024-11-11', baseFrom: '2024-10-22' },
      },
    ],
  });
  function common() {
    return { brand: null, zone: 'Asia/Shanghai', zeroOrderCounts: true, joinToleranceMs: 60_000 };
  }
  const member = [tick('2024-10-20 00:00:00'), join('2024-10-20 10:00:00')];
  it('count their own days only', () => {
    given([...member, pay('o1', '2024-10-31 23:59:59')], rules).then({
      span: { tier: 2 },
      campaign: { tier: 2 },
    });
    given([...member, pay('o1', '2024-11-01 00:00:00')], rules).then({
      span: { tier: 3 },
      campaign: { tier: 3 },
    });
    given([...member, pay('o1', '2024-11-11 00:00:00')], rules).then({
      span: { tier: 2 },
      campaign: { tier: 2 },
    });
  });
  it('at the close the campaign’s tiers fall, the report’s stand', () => {
    given([...member, pay('o1', '2024-11-10 10:00:00'), tick('2024-11-10 23:59:59')], rules)
      .when(tick('2024-11-11 00:00:00'))
      .then({ span: { tier: 3 }, campaign: { tier: 2 } }, ['campaign 3→2 TIME']);
  });
});
