/**
 * Random logs of persons: bursts, quiet spells, switches at one millisecond, duplicates that agree and that do
 * not, refunds before, after and without their order, guests, several zones, and two orders of arrival.
 */
import fc from 'fast-check';
import {
  defaultRules,
  dueEdges,
  guestPerson,
  type LogEntry,
  type Rules,
  type Scheme,
  type Touchpoint,
} from '#domain';
import { engage, link, pay, reach, refund, tick, visit, type KitHead } from './touchpoint-kit.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** São Paulo’s clocks leap over a midnight on 2018-11-04. */
const START = Date.UTC(2018, 9, 24, 1, 30);

const common = { brand: null, joinToleranceMs: MINUTE };

function scheme(id: string, zone: string, period: Scheme['period'], zeroOrderCounts = true): Scheme {
  return { id, brand: common.brand, zone, period, zeroOrderCounts, joinToleranceMs: common.joinToleranceMs };
}

/** All kinds of periods, short enough for a log of some weeks to go through them. */
export const LOG_RULES: Rules = defaultRules({
  schemes: [
    scheme('rolling:4d', 'Asia/Shanghai', { kind: 'rolling', days: 4 }),
    scheme('calendar:month', 'Asia/Shanghai', { kind: 'calendarMonth' }),
    scheme('rolling:7d', 'America/Sao_Paulo', { kind: 'rolling', days: 7 }, false),
    scheme('span', 'America/Sao_Paulo', { kind: 'span', from: '2018-11-01', to: '2018-11-08' }),
    scheme('campaign', 'Asia/Kolkata', {
      kind: 'campaign',
      from: '2018-10-30',
      to: '2018-11-06',
      baseFrom: '2018-10-26',
    }),
  ],
  windows: [
    { id: '1h', widthMs: HOUR, slideMs: 10 * MINUTE, latenessMs: HOUR },
    { id: '2d', widthMs: 2 * DAY, slideMs: HOUR, latenessMs: DAY },
  ],
  refundHorizonDays: 12,
  stateLatenessMs: 3 * DAY,
  duesPerTick: 1_000,
});

/** One event with the times it takes to arrive in two worlds that differ in nothing else. */
export interface Arriving {
  readonly event: Touchpoint;
  readonly delays: readonly [number, number];
}

export interface PersonLog {
  readonly arriving: readonly Arriving[];
  /** Instant after which nothing happens. */
  readonly end: number;
}

interface Draw {
  readonly gap: number;
  readonly edge: number;
  readonly what: number;
  readonly person: number;
  readonly channel: string;
  readonly order: number;
  readonly line: string;
  readonly amount: number;
  readonly full: boolean;
  readonly again: readonly {
    readonly shift: number;
    readonly hash: number;
    readonly delays: [number, number];
  }[];
  readonly delays: [number, number];
}

const gap = fc.oneof(
  { weight: 3, arbitrary: fc.constant(0) },
  { weight: 8, arbitrary: fc.integer({ min: 1, max: 2 * HOUR }) },
  { weight: 6, arbitrary: fc.integer({ min: HOUR, max: 2 * DAY }) },
  { weight: 1, arbitrary: fc.integer({ min: 3 * DAY, max: 14 * DAY }) },
);

function delayUpTo(lateness: number): fc.Arbitrary<number> {
  return fc.oneof(
    { weight: 6, arbitrary: fc.constant(0) },
    { weight: 1, arbitrary: fc.integer({ min: -5 * MINUTE, max: 0 }) },
    { weight: 2, arbitrary: fc.integer({ min: 0, max: Math.min(lateness, HOUR) }) },
    { weight: 2, arbitrary: fc.integer({ min: 0, max: lateness }) },
  );
}

function draw(lateness: number): fc.Arbitrary<Draw> {
  const delays = fc.tuple(delayUpTo(lateness), delayUpTo(lateness));
  const again = fc.record({
    // Mostly the same record once more; else one of the same id that says something else.
    shift: fc.constantFrom(0, 0, 0, -MINUTE, 90 * MINUTE),
    hash: fc.constantFrom(7, 7, 6, 8),
    delays,
  });
  return fc.record({
    gap,
    edge: fc.constantFrom(1, 1, 1, MINUTE, HOUR, 30 * MINUTE),
    what: fc.integer({ min: 0, max: 99 }),
    person: fc.integer({ min: 0, max: 2 }),
    channel: fc.constantFrom('shop', 'live', 'group'),
    order: fc.integer({ min: 0, max: 9 }),
    line: fc.constantFrom('1', '1', '2'),
    amount: fc.constantFrom(0, 50, 100, 100, 200),
    full: fc.boolean(),
    again: fc.array(again, { maxLength: 2, size: 'small' }),
    delays,
  });
}

/** @param lateness   events arrive at most this late, ms */
export function personLog(lateness: number): fc.Arbitrary<PersonLog> {
  return fc.array(draw(lateness), { minLength: 1, maxLength: 60, size: 'max' }).map((draws) => {
    const arriving: Arriving[] = [];
    let clock = START;
    draws.forEach((one, nth) => {
      clock += one.gap;
      const at = Math.max(START, clock - (clock % one.edge));
      arriving.push({ event: eventOf(one, nth, at, 7), delays: one.delays });
      for (const { shift, hash, delays } of one.again) {
        arriving.push({ event: eventOf(one, nth, Math.max(START, at + shift), hash), delays });
      }
    });
    return { arriving, end: clock + 90 * MINUTE };
  });
}

/**
 * The fullest of some logs that are the same in each run: the example with which a property of few runs starts, so
 * that it has something to show even where what it draws is tame.
 * @param lateness   events arrive at most this late, ms
 */
export function fullLog(lateness: number): PersonLog {
  const logs = fc.sample(personLog(lateness), { seed: 1, numRuns: 20 });
  return logs.reduce((fullest, log) => (log.arriving.length > fullest.arriving.length ? log : fullest));
}

function eventOf(one: Draw, nth: number, at: number, hash: number): Touchpoint {
  const { channel, what, line, amount, full } = one;
  const head: KitHead = { id: `e${nth}`, person: `p${one.person}`, channel, hash: nth * 10 + hash };
  // A few orders a person, so that lines, refunds and payments meet; a differing hash is a differing content.
  // Ids come anew every ten days: behind the refund horizon an order is settled, and its id forgotten.
  const orderId = `p${one.person}-o${one.order}-${Math.floor((at - START) / (10 * DAY))}`;
  const minor = hash === 7 ? amount : amount + hash;
  if (what < 12) return link('MEMBER', true, at, head);
  if (what < 18) return link('MEMBER', false, at, head);
  if (what < 28) return link('SHOP_FAN', hash !== 6, at, head);
  if (what < 36) return link('SHOP_FAN', false, at, head);
  if (what < 40) return link('GROUP', true, at, head);
  if (what < 64) return pay(orderId, at, { ...head, line, amount: minor });
  if (what < 74)
    return refund(orderId, at, {
      ...head,
      line: full ? null : line,
      amount: minor,
      refundId: `r${one.order % 3}`,
    });
  if (what < 77) return refund(orderId, at, { ...head, full, amount: minor, refundId: 'f' });
  if (what < 79) return refund(null, at, { ...head, amount: minor, refundId: `n${nth}` });
  if (what < 82)
    return pay(`g${one.order}`, at, { ...head, person: guestPerson(`g${one.order}`), amount: minor });
  if (what < 92) return visit(at, head);
  if (what < 96) return engage(at, 'LIKE', head);
  return reach(full, at, head);
}

interface Timed {
  readonly when: number;
  readonly entry: LogEntry;
}

/**
 * The log as it arrives in one of the two worlds. Ticks come by the clock, at every due edge and every six hours,
 * so they stand at the same instants in both; the last one is a day after the end.
 */
export function arrivals(log: PersonLog, world: 0 | 1, rules: Rules = LOG_RULES): readonly LogEntry[] {
  const until = log.end + DAY;
  const times = new Set<number>(dueEdges(rules, START, until));
  for (let t = START; t < until; t += 6 * HOUR) times.add(t);
  times.add(until);
  const timed = [
    ...log.arriving.map(({ event, delays }): Timed => ({ when: event.at + delays[world], entry: event })),
    ...[...times].map((t): Timed => ({ when: t, entry: tick(t) })),
  ];
  // Stable, so of what arrives at one instant the order stays; ticks last.
  return timed.sort((a, b) => a.when - b.when).map(({ entry }) => entry);
}

/** Each record once, each order of one line: what takes another's place takes it from final ends that no ledger names. */
export function withoutRivals(log: PersonLog): PersonLog {
  const seen = new Set<string>();
  const arriving = log.arriving.flatMap((one) => {
    const { event } = one;
    if (seen.has(event.eventId)) return [];
    seen.add(event.eventId);
    if (event.type !== 'orderPaid' && event.type !== 'orderRefunded') return [one];
    return [{ ...one, event: { ...event, orderId: event.eventId } }];
  });
  return { ...log, arriving };
}
