/** What the simulated persons remember between two sessions. */
import type { Actor, LinkKind } from '#domain';
import type { SeededRandom } from './seeded-random.js';
import type { Brand } from './market.js';

export interface Shopper {
  readonly id: string;
  /** Staff and bots act like customers and count for none. */
  readonly actor: Actor;
  readonly links: Set<LinkKind>;
  /** Channels in which messages are not welcome. */
  readonly declined: Set<string>;
  orders: number;
}

/** The persons of one brand; they come into being when they first turn up. */
export class Shoppers {
  readonly #shoppers = new Map<number, Shopper>();

  constructor(private readonly brand: Brand) {}

  /** Somebody; few come often, most rarely. */
  pick(random: SeededRandom): Shopper {
    const skew = random.next();
    const index = Math.floor(this.brand.persons * skew * skew);
    let shopper = this.#shoppers.get(index);
    if (shopper === undefined) {
      shopper = {
        id: `${this.brand.brand}-${index}`,
        actor: actorOf(index),
        links: new Set(),
        declined: new Set(),
        orders: 0,
      };
      this.#shoppers.set(index, shopper);
    }
    return shopper;
  }
}

/** One in a hundred works for the brand, one in two hundred is a machine. */
function actorOf(index: number): Actor {
  if (index % 100 === 57) return 'STAFF';
  return index % 200 === 113 ? 'BOT' : 'CUSTOMER';
}
