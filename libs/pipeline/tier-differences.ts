import { compileRules, personKey, standingTier, type Tier } from '#domain';
import { partitionOf } from './partition.js';
import type { Placed, PublishedTiers } from './published-tiers.js';
import type { RebuiltPartition } from './rebuilt-partition.js';

/** A tier that a rebuild has found to be another one than subscribers were told. */
export interface TierDifference extends Placed {
  readonly published: Tier;
  readonly rebuilt: Tier;
}

/** Persons compared between two turns of the event loop. */
const PERSONS_PER_TURN = 5_000;

/**
 * Where a rebuilt partition and what was published from this partition differ, kept up to date. What was published of
 * records that the rebuild has not come to is no difference.
 */
export class TierDifferences {
  readonly #differing = new Map<string, TierDifference>();
  #compared = 0;

  /** @param partitions   of the relationship log */
  constructor(
    private readonly rebuilt: RebuiltPartition,
    private readonly published: PublishedTiers,
    private readonly partitions: number,
  ) {}

  /** Persons under a scheme that were compared by `compareAll`. */
  get compared(): number {
    return this.#compared;
  }

  all(): readonly TierDifference[] {
    return [...this.#differing.values()];
  }

  /** Everybody of this partition; as of the rebuild's last checkpoint, which must be where it stands. */
  async compareAll(breathe: () => Promise<void>): Promise<void> {
    this.#differing.clear();
    this.#compared = 0;
    for (const placed of this.published.all()) {
      if (!this.look(placed)) continue;
      this.#compared += 1;
      if (this.#compared % PERSONS_PER_TURN === 0) await breathe();
    }
    let read = 0;
    for (const { brand, person, standings } of this.rebuilt.state.storedStates()) {
      for (const { schemeId } of standings) this.look({ brand, person, schemeId });
      read += 1;
      if (read % PERSONS_PER_TURN === 0) await breathe();
    }
  }

  /** @returns false for somebody of another partition, or under a scheme that the rules do not have (any more) */
  look({ brand, person, schemeId }: Placed): boolean {
    const key = personKey(brand, person);
    if (partitionOf(key, this.partitions) !== this.rebuilt.input.partition) return false;
    const schemes = compileRules(this.rebuilt.state.frame.rules).schemesOf(brand);
    if (!schemes.some(({ scheme: { id } }) => id === schemeId)) return false;
    const published = this.published.tierOf({ brand, person, schemeId }, this.rebuilt.state.position);
    const rebuilt = standingTier(this.rebuilt.state.stateOf(key), schemeId);
    const name = `${schemeId}\0${key}`;
    if (published === null || published === rebuilt) this.#differing.delete(name);
    else this.#differing.set(name, { brand, person, schemeId, published, rebuilt });
    return true;
  }
}
