/** A year of purchases by a skewed crowd, with what a correct replay of it must find. */
import { closeSync, openSync, writeSync } from 'node:fs';
import { SeededRandom } from '../../apps/simulator/night/seeded-random.js';

export interface PurchaseYearOptions {
  readonly purchases: number;
  /** Persons who may buy; the first come often, most rarely (index = persons × u²). */
  readonly persons: number;
  readonly seed: number;
}

/** Computed while the rows are made, without any code of the product. */
export interface PurchaseTruth {
  readonly purchases: number;
  readonly buyers: number;
  readonly gmvMinor: number;
  /** Last event, ISO. */
  readonly lastEvent: string;
  /** Persons by tier 0–5 on the last day, all buyers being members from their first purchase on. */
  readonly tiers: { readonly 'rolling:30d': readonly number[]; readonly 'calendar:month': readonly number[] };
}

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** Shanghai: no other offset since 1991. */
const OFFSET = 8 * HOUR;
const FROM = Date.UTC(2024, 0, 1) - OFFSET;
const DAYS = 366;
const ROLLING_DAYS = 30;
/** First local day of the last month, counted from the first day of the year. */
const DECEMBER = DAYS - 31;
/** Double 11 and its eve sell as much as so many ordinary days each. */
const FESTIVAL_DAYS = [313, 314, 315];
const FESTIVAL_WEIGHT = 8;
const CHUNK_CHARS = 1 << 20;

/** Writes `order,person,time,amount` rows in no order of time, times local to Shanghai. */
export function writePurchaseYear(file: string, options: PurchaseYearOptions): PurchaseTruth {
  const random = new SeededRandom(options.seed);
  const days = dayChooser();
  const crowd = new BuyerDays();
  let gmvMinor = 0;
  let last = 0;
  const fd = openSync(file, 'w');
  try {
    let text = 'order,person,time,amount\n';
    for (let order = 0; order < options.purchases; order += 1) {
      const skew = random.next();
      const person = Math.floor(options.persons * skew * skew);
      const day = days[random.below(days.length)] ?? 0;
      const second = 28_800 + Math.floor(57_600 * Math.sqrt(random.next()));
      const at = FROM + day * DAY + Math.min(second, 86_399) * 1_000;
      const amountMinor = Math.max(100, Math.round(random.skewed(12_900)));
      crowd.bought(person, day);
      gmvMinor += amountMinor;
      last = Math.max(last, at);
      text += `o${order},u${person},${localText(at)},${decimal(amountMinor)}\n`;
      if (text.length >= CHUNK_CHARS) {
        writeSync(fd, text);
        text = '';
      }
    }
    writeSync(fd, text);
  } finally {
    closeSync(fd);
  }
  const lastDay = Math.floor((last - FROM) / DAY);
  return {
    purchases: options.purchases,
    buyers: crowd.size,
    gmvMinor,
    lastEvent: new Date(last).toISOString(),
    tiers: {
      'rolling:30d': crowd.tiers(lastDay - ROLLING_DAYS + 1),
      'calendar:month': crowd.tiers(DECEMBER),
    },
  };
}

/** Local days, as often in the list as they weigh. */
function dayChooser(): readonly number[] {
  return Array.from({ length: DAYS }, (_, day) => day).flatMap((day) =>
    Array.from({ length: FESTIVAL_DAYS.includes(day) ? FESTIVAL_WEIGHT : 1 }, () => day),
  );
}

/** The days on which each person bought, as sets. */
class BuyerDays {
  readonly #days = new Map<number, Set<number>>();

  get size(): number {
    return this.#days.size;
  }

  bought(person: number, day: number): void {
    const days = this.#days.get(person);
    if (days === undefined) this.#days.set(person, new Set([day]));
    else days.add(day);
  }

  /** Members by the number of purchase days from `first` on: none, one, more are tiers 2, 3 and 4. */
  tiers(first: number): readonly number[] {
    const tiers = [0, 0, 0, 0, 0, 0];
    for (const days of this.#days.values()) {
      let counted = 0;
      for (const day of days) if (day >= first) counted += 1;
      const tier = 2 + Math.min(counted, 2);
      tiers[tier] = (tiers[tier] ?? 0) + 1;
    }
    return tiers;
  }
}

/** `YYYY-MM-DD HH:mm:ss` in Shanghai. */
function localText(at: number): string {
  return new Date(at + OFFSET).toISOString().slice(0, 19).replace('T', ' ');
}

function decimal(minor: number): string {
  const cents = minor % 100;
  return `${(minor - cents) / 100}.${cents < 10 ? '0' : ''}${cents}`;
}
