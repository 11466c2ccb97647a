/** What the rolling engine alone is fed: persons by a power law, made before anything is measured. */
import { SeededRandom } from '../../apps/simulator/night/seeded-random.js';

export const ENGINE_CHANNELS = ['shop', 'live', 'group', 'mini_program', 'member_center', 'dedicated_cs'];
const CHANNEL_WEIGHTS = [0.35, 0.25, 0.15, 0.1, 0.1, 0.05];
export const ENGINE_BRANDS = ['brand-1', 'brand-2', 'brand-3', 'brand-4', 'brand-5'];
const BRAND_SHARES = [0.4, 0.25, 0.2, 0.1, 0.05];
/** A power law: 1 % of the persons make 21 % of the events (0.01^(1/2.95)). */
const SKEW = 2.95;
const ACTIVE_RATE = 0.29;
const LINK_RATE = 0.05;
/** Of a person who is linked, a link event mostly is another kind's: only so many end the relation. */
const UNLINK_RATE = 0.3;
const LINKED_BEFORE_RATE = 0.4;
const LATE_RATE = 0.01;
const LATE_MEAN_MS = 60_000;
/** Inside the lateness of every window. */
const LATE_MAX_MS = 4 * 60_000;

/** Kinds of `EngineLoad.kinds`. A link is an active moment too. */
export const VISIT = 0;
export const ACTIVE = 1;
export const LINK_ON = 2;
export const LINK_OFF = 3;

export interface EngineLoad {
  readonly from: number;
  /** One entry an event, in the order of arrival. */
  readonly arrivals: Float64Array;
  readonly instants: Float64Array;
  readonly people: Int32Array;
  readonly channels: Uint8Array;
  readonly kinds: Uint8Array;
  /** By person. */
  readonly brandOf: Uint8Array;
  /** Channel of the one link that a person may have. */
  readonly linkChannelOf: Uint8Array;
  /** Since when a person is linked before the first event, ms; NaN for who is not. */
  readonly linkedSince: Float64Array;
}

export interface EngineLoadOptions {
  readonly events: number;
  readonly persons: number;
  readonly seed: number;
  /** ms */
  readonly from: number;
  readonly eventsPerSecond: number;
}

export function engineLoad({ events, persons, seed, from, eventsPerSecond }: EngineLoadOptions): EngineLoad {
  const random = new SeededRandom(seed);
  const load: EngineLoad = {
    from,
    arrivals: new Float64Array(events),
    instants: new Float64Array(events),
    people: new Int32Array(events),
    channels: new Uint8Array(events),
    kinds: new Uint8Array(events),
    brandOf: Uint8Array.from({ length: persons }, () => pick(BRAND_SHARES, random)),
    linkChannelOf: Uint8Array.from({ length: persons }, () => pick(CHANNEL_WEIGHTS, random)),
    linkedSince: Float64Array.from({ length: persons }, () =>
      random.chance(LINKED_BEFORE_RATE) ? from - 86_400_000 * (1 + random.below(300)) : NaN,
    ),
  };
  const isLinked = Array.from(load.linkedSince, (since) => !Number.isNaN(since));
  let arrival = from;
  for (let nth = 0; nth < events; nth++) {
    arrival += random.exponential(1_000 / eventsPerSecond);
    const person = Math.floor(persons * random.next() ** SKEW);
    const isLink = random.chance(LINK_RATE);
    const late = !isLink && random.chance(LATE_RATE) ? random.exponential(LATE_MEAN_MS) : 0;
    load.arrivals[nth] = Math.floor(arrival);
    load.instants[nth] = Math.floor(arrival - Math.min(late, LATE_MAX_MS));
    load.people[nth] = person;
    if (isLink) {
      const isOff = isLinked[person] === true && random.chance(UNLINK_RATE);
      isLinked[person] = !isOff;
      load.channels[nth] = load.linkChannelOf[person] ?? 0;
      load.kinds[nth] = isOff ? LINK_OFF : LINK_ON;
    } else {
      load.channels[nth] = pick(CHANNEL_WEIGHTS, random);
      load.kinds[nth] = random.chance((ACTIVE_RATE - LINK_RATE) / (1 - LINK_RATE)) ? ACTIVE : VISIT;
    }
  }
  return load;
}

function pick(weights: readonly number[], random: SeededRandom): number {
  let left = random.next();
  let index = 0;
  while (index < weights.length - 1 && left >= (weights[index] ?? 0)) left -= weights[index++] ?? 0;
  return index;
}

/** Live times of each person's link: flat [from, to, from, to, …), ms; `to` is Infinity while it lasts. */
export function linkSpansOf(load: EngineLoad): readonly (readonly number[])[] {
  const spans = Array.from(load.linkedSince, (since) => (Number.isNaN(since) ? [] : [since, Infinity]));
  load.kinds.forEach((kind, nth) => {
    const own = spans[load.people[nth] ?? -1];
    if (own === undefined || kind < LINK_ON) return;
    const at = load.instants[nth] ?? 0;
    const isLive = own[own.length - 1] === Infinity;
    if (kind === LINK_OFF) own[own.length - 1] = at;
    else if (!isLive) own.push(at, Infinity);
  });
  return spans;
}
