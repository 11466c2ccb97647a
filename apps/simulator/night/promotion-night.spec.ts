import { describe, expect, it } from '@jest/globals';
import { admit, DEFAULT_ADMISSION_LIMITS, type SourceOrder, type SourceTouchpoint } from '#domain';
import { BRANDS, CHANNELS } from './market.js';
import { dayCurve, PromotionNight, type Scene } from './promotion-night.js';

const FROM = Date.UTC(2026, 10, 10, 12);
const MINUTE = 60_000;
const SCENE: Scene = { run: 't', origin: 'LIVE', isPromotion: true, eventsPerSecond: 15 };

function play(seed: number, minutes: number, scene = SCENE, stepMs = MINUTE): SourceTouchpoint[] {
  const night = new PromotionNight(seed);
  const events: SourceTouchpoint[] = [];
  for (let at = FROM; at < FROM + minutes * MINUTE; at += stepMs) {
    events.push(...night.between(at, at + stepMs, scene));
  }
  return events;
}

const ordersOf = (events: readonly SourceTouchpoint[]): SourceOrder[] =>
  events.filter((event): event is SourceOrder => event.type === 'order');

describe('the promotion night', () => {
  it('is the same for the same seed, and another one for another', () => {
    expect(play(7, 3)).toEqual(play(7, 3));
    expect(play(7, 1)).not.toEqual(play(8, 1));
  });

  it('goes on with the same shoppers after a reseed, and does other things', () => {
    const [one, other] = [1, 2].map((seed) => {
      const night = new PromotionNight(7);
      night.between(FROM - 60 * MINUTE, FROM, SCENE);
      night.reseed(seed);
      return night.between(FROM, FROM + 10 * MINUTE, SCENE).map(({ person, type }) => `${person} ${type}`);
    });
    expect(one).not.toEqual(other);
  });

  it('begins at its own pace after a reseed, however quiet it was before', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const night = new PromotionNight(seed);
      // Two events an hour: the next session is drawn half an hour ahead and more.
      night.between(FROM - 600 * MINUTE, FROM, { ...SCENE, isPromotion: false, eventsPerSecond: 2 / 3_600 });
      night.reseed(seed);
      expect(night.between(FROM, FROM + MINUTE, SCENE).length).toBeGreaterThan(SCENE.eventsPerSecond * 20);
    }
  });

  it('gives each event once, with an id of its own, in the order of time', () => {
    const events = play(1, 10);
    expect(new Set(events.map(({ eventId }) => eventId)).size).toBe(events.length);
    const times = events.map(({ occurredAt }) => occurredAt);
    expect(times).toEqual([...times].sort((left, right) => left - right));
    expect(times[0]).toBeGreaterThanOrEqual(FROM);
    expect(times.at(-1)).toBeLessThan(FROM + 10 * MINUTE);
  });

  it('is admitted by intake, event by event', () => {
    const source = { topic: 'touchpoint.visit', partition: 0, offset: 0 };
    const refused = play(2, 10)
      .map((event) => admit(event, { ...source, arrivedAt: event.sentAt }, DEFAULT_ADMISSION_LIMITS))
      .filter(({ ok }) => !ok);
    expect(refused).toEqual([]);
  });

  it('has about the rate that was asked for on ordinary days, and more in a promotion with its bursts', () => {
    const ordinary = play(3, 30, { ...SCENE, isPromotion: false }).length / 1_800;
    expect(ordinary).toBeGreaterThan(SCENE.eventsPerSecond * 0.7);
    expect(ordinary).toBeLessThan(SCENE.eventsPerSecond * 1.3);
    expect(play(3, 30).length / 1_800).toBeGreaterThan(ordinary);
  });

  it('has opt-outs of those in relation, some of whom come back', () => {
    const declined = new Map<string, number>();
    let optOuts = 0;
    let returns = 0;
    for (const event of play(5, 60)) {
      if (event.type !== 'relation' || event.link !== 'REACH') continue;
      const where = `${event.person ?? ''} ${event.channel ?? ''}`;
      declined.set(where, (declined.get(where) ?? 0) + (event.on ? -1 : 1));
      if (event.on) returns += 1;
      else optOuts += 1;
    }
    // Nobody says twice what he has said.
    expect([...new Set(declined.values())].filter((balance) => balance !== 0 && balance !== 1)).toEqual([]);
    expect(optOuts).toBeGreaterThan(20);
    expect(returns).toBeGreaterThan(0);
  });

  it('visits every brand and every channel, and persons come back', () => {
    const events = play(4, 30);
    expect(new Set(events.map(({ brand }) => brand))).toEqual(new Set(BRANDS.map(({ brand }) => brand)));
    expect(new Set(events.map(({ channel }) => channel))).toEqual(
      new Set(CHANNELS.map(({ channel }) => channel)),
    );
    const persons = new Set(events.map(({ brand, person }) => `${brand}/${person ?? ''}`));
    expect(persons.size).toBeGreaterThan(1_000);
    expect(persons.size).toBeLessThan(events.length / 2);
  });

  it('has staff and bots among the customers, always the same persons', () => {
    const actors = new Map<string, Set<string>>();
    for (const { person, brand, actor } of play(5, 30)) {
      const name = `${brand}/${person ?? ''}`;
      actors.set(name, (actors.get(name) ?? new Set()).add(actor));
    }
    const all = [...actors.values()];
    expect(all.every(({ size }) => size === 1)).toBe(true);
    const share = (actor: string): number => all.filter((one) => one.has(actor)).length / all.length;
    expect(share('STAFF')).toBeGreaterThan(0.002);
    expect(share('BOT')).toBeGreaterThan(0.001);
    expect(share('CUSTOMER')).toBeGreaterThan(0.95);
  });

  it('gives money back only for lines that were paid, later, and never more than was paid', () => {
    const orders = ordersOf(
      play(6, 48 * 60, { ...SCENE, isPromotion: false, eventsPerSecond: 0.3 }, 60 * MINUTE),
    );
    const paid = new Map(
      orders
        .filter(({ kind }) => kind === 'PAID')
        .map((order) => [`${order.orderId ?? ''}/${order.lineId ?? ''}`, order]),
    );
    const refunds = orders.filter(({ kind }) => kind === 'REFUNDED');
    expect(refunds.length).toBeGreaterThan(20);
    for (const refund of refunds) {
      const line = paid.get(`${refund.orderId ?? ''}/${refund.lineId ?? ''}`);
      expect(line).toMatchObject({ person: refund.person, brand: refund.brand });
      expect(refund.occurredAt).toBeGreaterThan(line?.occurredAt ?? Infinity);
      expect(refund.amountMinor ?? Infinity).toBeLessThanOrEqual(line?.amountMinor ?? 0);
      if (refund.full) expect(refund.amountMinor).toBe(line?.amountMinor);
    }
    expect(refunds.some(({ full }) => !full)).toBe(true);
  });

  it('is busiest in the evening and quiet at night, 1 on average', () => {
    const hours = Array.from({ length: 24 }, (_, hour) => dayCurve(FROM + hour * 60 * MINUTE));
    const mean = hours.reduce((sum, one) => sum + one, 0) / 24;
    expect(mean).toBeGreaterThan(0.8);
    expect(mean).toBeLessThan(1.2);
    // FROM is 20:00 in Shanghai.
    expect(hours[1]).toBeGreaterThan(1.8);
    expect(hours[8]).toBeLessThan(0.5);
  });
});
