/** The simulator's promotion night with as many persons as a bench asks for. */
import type { SourceTouchpoint } from '#domain';
import type { Brand } from '../../apps/simulator/night/market.js';
import { PromotionNight } from '../../apps/simulator/night/promotion-night.js';
import { SeededRandom } from '../../apps/simulator/night/seeded-random.js';

export interface NightOptions {
  readonly events: number;
  readonly persons: number;
  readonly seed: number;
  /** Begin of the night, ms. */
  readonly from: number;
  /** Length of the night, ms: decides how dense it is. */
  readonly lengthMs: number;
}

/** Share of the events that come late, by up to `LATE_MAX_MS`. */
const LATE_RATE = 0.01;
const LATE_MAX_MS = 120_000;
const CHUNK_MS = 1_000;
const SHARES = [0.4, 0.25, 0.2, 0.1, 0.05];

/** Exactly `events` events in the order of arrival, `sentAt`; 1 % happened up to two minutes before. */
export function nightEvents(options: NightOptions): SourceTouchpoint[] {
  const { events: count, seed, from, lengthMs } = options;
  const night = new PromotionNight(seed, brandsOf(options.persons));
  const random = new SeededRandom(seed ^ 0x5bd1e995);
  // Bursts and swells make a night of more events than its plain rate says; it ends when there are enough.
  const scene = {
    run: 'bench',
    origin: 'LIVE',
    isPromotion: true,
    eventsPerSecond: count / (lengthMs / 1_000),
  } as const;
  const events: SourceTouchpoint[] = [];
  for (let at = from; events.length < count; at += CHUNK_MS) {
    for (const event of night.between(at, at + CHUNK_MS, scene)) {
      const late = random.chance(LATE_RATE) ? random.below(LATE_MAX_MS) : 0;
      events.push(late === 0 ? event : { ...event, occurredAt: event.occurredAt - late });
    }
  }
  return events.slice(0, count);
}

/** The brands of a night, and how many persons each can have; a person is called `<brand>-<index>`. */
export function brandSizes(persons: number): readonly Pick<Brand, 'brand' | 'persons'>[] {
  return SHARES.map((share, index) => ({
    brand: `brand-${index + 1}`,
    persons: Math.max(1, Math.round(persons * share)),
  }));
}

function brandsOf(persons: number): readonly Brand[] {
  return brandSizes(persons).map((size, index) => ({
    ...size,
    weight: SHARES[index] ?? 0,
    priceMinor: 9_900 + 5_000 * index,
  }));
}

/** `relation 6.1 %, visit 60.2 %, …`. */
export function mixOf(events: readonly SourceTouchpoint[]): string {
  const counts = new Map<string, number>();
  for (const { type } of events) counts.set(type, (counts.get(type) ?? 0) + 1);
  return [...counts]
    .sort(([, left], [, right]) => right - left)
    .map(([type, count]) => `${type} ${((100 * count) / events.length).toFixed(1)} %`)
    .join(', ');
}

export function personsIn(events: readonly SourceTouchpoint[]): number {
  return new Set(events.map(({ brand, person }) => `${brand}\0${person ?? ''}`)).size;
}
