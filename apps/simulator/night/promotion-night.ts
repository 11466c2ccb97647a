/** A promotion night after weeks of ordinary days, as a stream of source events in time order. */
import type { SourceHead, SourceTouchpoint } from '#domain';
import { BRANDS, type Brand } from './market.js';
import { SeededRandom } from './seeded-random.js';
import { playSession } from './session.js';
import { Shoppers } from './shoppers.js';

/** How a stretch of time is played. */
export interface Scene {
  /** Part of every event id, so that two runs never share one. */
  readonly run: string;
  readonly origin: SourceHead['origin'];
  readonly isPromotion: boolean;
  /** On average, before bursts. */
  readonly eventsPerSecond: number;
}

/** Events of a session on average, to turn a rate of events into a rate of sessions. */
const EVENTS_PER_SESSION = 1.8;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** A flash sale every so often, for so long. */
const BURST_EVERY_MS = 7 * MINUTE;
const BURST_MS = 45_000;
const BURST_HEAT = 3.5;

export class PromotionNight {
  #random: SeededRandom;
  readonly #shoppers: ReadonlyMap<Brand, Shoppers>;
  readonly #weights: readonly (readonly [brand: Brand, weight: number])[];
  /** Events of sessions under way and refunds to come, by the minute they are due in. */
  readonly #pending = new Map<number, SourceTouchpoint[]>();
  #nextSessionAt: number | null = null;
  #ids = 0;

  constructor(seed: number, brands: readonly Brand[] = BRANDS) {
    this.#random = new SeededRandom(seed);
    this.#shoppers = new Map(brands.map((brand) => [brand, new Shoppers(brand)]));
    this.#weights = brands.map((brand) => [brand, brand.weight]);
  }

  /** The same shoppers with what they remember; what they do from now on is drawn anew. */
  reseed(seed: number): void {
    this.#random = new SeededRandom(seed);
    // Drawn at the pace of what was before: after quiet days it may lie many minutes ahead.
    this.#nextSessionAt = null;
  }

  /** The events in [from, to), in time order; refunds of earlier orders among them. */
  between(from: number, to: number, scene: Scene): readonly SourceTouchpoint[] {
    let at = Math.max(from, this.#nextSessionAt ?? from);
    while (at < to) {
      this.#session(at, scene);
      const heat = scene.isPromotion ? heatAt(at) : 1;
      at += this.#random.exponential((1_000 * EVENTS_PER_SESSION) / (scene.eventsPerSecond * heat));
    }
    this.#nextSessionAt = at;
    return this.#take(to);
  }

  #session(at: number, scene: Scene): void {
    const random = this.#random;
    const brand = random.weighted(this.#weights);
    const shoppers = this.#shoppers.get(brand);
    if (shoppers === undefined) return;
    const { isPromotion, origin, run } = scene;
    const session = playSession(
      {
        brand,
        shopper: shoppers.pick(random),
        at: Math.floor(at),
        heat: isPromotion ? 1 + heatAt(at) / 2 : 1,
        isPromotion,
        origin,
        nextId: () => `${run}-${(this.#ids += 1)}`,
      },
      random,
    );
    for (const event of session.events) this.#keep(event);
    for (const refund of session.refunds) this.#keep(refund);
  }

  #keep(event: SourceTouchpoint): void {
    const minute = Math.floor(event.occurredAt / MINUTE);
    const known = this.#pending.get(minute);
    if (known === undefined) this.#pending.set(minute, [event]);
    else known.push(event);
  }

  #take(to: number): readonly SourceTouchpoint[] {
    const due: SourceTouchpoint[] = [];
    for (const [minute, events] of this.#pending) {
      if (minute * MINUTE >= to) continue;
      const later: SourceTouchpoint[] = [];
      for (const event of events) (event.occurredAt < to ? due : later).push(event);
      if (later.length === 0) this.#pending.delete(minute);
      else this.#pending.set(minute, later);
    }
    return due.sort(byTime);
  }
}

function byTime(left: SourceTouchpoint, right: SourceTouchpoint): number {
  return left.occurredAt - right.occurredAt || (left.eventId < right.eventId ? -1 : 1);
}

/** How hot the night is at an instant: a slow swell, and flash sales on top. 1 is ordinary. */
function heatAt(at: number): number {
  const swell = 1 + 0.35 * Math.sin((at / (23 * MINUTE)) * 2 * Math.PI);
  return at % BURST_EVERY_MS < BURST_MS ? swell * BURST_HEAT : swell;
}

/** How busy an ordinary hour is (Shanghai time), on average 1. */
export function dayCurve(at: number): number {
  const hour = (((at / HOUR + 8) % 24) + 24) % 24;
  const evening = Math.exp(-(((hour - 21) / 3) ** 2));
  const noon = Math.exp(-(((hour - 12.5) / 2.5) ** 2));
  return 0.35 + 1.9 * evening + 1.1 * noon;
}
