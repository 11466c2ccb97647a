/**
 * The standings that there can be under a scheme, each made once: persons are held in their millions, and looked at
 * again every day.
 */
import type { Tier } from './facts.js';
import type { Standing } from './relationship.js';

const TIERS: readonly Tier[] = [0, 1, 2, 3, 4, 5];

export class Standings {
  private readonly all: readonly Standing[];

  constructor(schemeId: string) {
    this.all = TIERS.flatMap((tier) =>
      [false, true].flatMap((deepened) =>
        [false, true].map((deepenedCohort) => ({ schemeId, tier, deepened, deepenedCohort })),
      ),
    );
  }

  of(tier: Tier, deepened: boolean, deepenedCohort: boolean): Standing {
    const found = this.all[tier * 4 + (deepened ? 2 : 0) + (deepenedCohort ? 1 : 0)];
    if (found === undefined) throw new RangeError(`tier ${String(tier)}`);
    return found;
  }
}

/** Lists of such standings, each made once as well. Only for those of one `Standings` a scheme: others would pile up. */
export class StandingLists {
  private readonly lists = new Map<Standing, StandingLists>();

  constructor(private readonly list: readonly Standing[] = []) {}

  /** The list of these, one more. */
  with(standing: Standing): StandingLists {
    let next = this.lists.get(standing);
    if (next === undefined) {
      next = new StandingLists([...this.list, standing]);
      this.lists.set(standing, next);
    }
    return next;
  }

  get all(): readonly Standing[] {
    return this.list;
  }
}
