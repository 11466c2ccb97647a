/** What the simulated persons remember between two sessions. */
import { type LinkKind } from '#domain';
import { type SeededRandom } from './seeded-random.js';
import { type Brand } from './market.js';

export interface Shopper {
  readonly id: string;
  readonly links: Set<LinkKind>;
  orders: number;
}

/** The persons of one brand; they come into being when they first turn up. */
export class Shoppers {
  readonly #shoppers = new Map<number, Shopper>();

  constructor(private readonly brand: Brand) {}

  /** Somebody; few come often, most rarely. */
  pick(random: SeededRandom): Shopper {
    const skew = random.next();
    const index = Math.floor(this.brand.persons * skew * skew * skew);
    let shopper = this.#shoppers.get(index);
    if (shopper === undefined) {
      shopper = { id: `${this.brand.brand}-${index}`, links: new Set(), orders: 0 };
      this.#shoppers.set(index, shopper);
    }
    return shopper;
  }
}
