import { personKey, type Tier } from '#domain';
import type { TierSnapshot, TiersCodec } from './codecs.js';
import type { Log } from './log.js';
import { TOPICS } from './topics.js';

/** A person under a scheme. */
export interface Placed {
  readonly brand: string;
  readonly person: string;
  readonly schemeId: string;
}

/**
 * What subscribers have been told last: the topic `tiers`, read to its end whenever it is asked for. About 200 bytes
 * a person and scheme in memory. Tombstones are passed over: nobody writes them yet.
 */
export class PublishedTiers {
  /** Tier and, where it was published in the live epoch, the position behind its record: ten times that, and the tier. */
  readonly #tiers = new Map<string, number>();
  readonly #readTo = new Map<number, number>();

  constructor(
    private readonly log: Pick<Log, 'ends' | 'read' | 'settled'>,
    private readonly codec: TiersCodec,
    private readonly liveEpoch: number,
  ) {}

  /** Reads what was committed before the call and is new. @param onRead   told of each record */
  async readOn(onRead: (placed: Placed) => void = () => undefined): Promise<void> {
    const topic = TOPICS.tiers;
    await this.log.settled(topic);
    for (const { partition, start, end } of await this.log.ends(topic)) {
      const from = this.#readTo.get(partition) ?? start;
      for await (const { records } of this.log.read({ topic, partition }, from, end)) {
        for (const { value } of records) {
          if (value === null) continue;
          const snapshot = this.codec.decode(value);
          this.#tiers.set(nameOf(snapshot), this.#positionOf(snapshot) * TEN + snapshot.tier);
          onRead(snapshot);
        }
      }
      this.#readTo.set(partition, Math.max(from, end));
    }
  }

  /**
   * @returns 0 where nothing was ever said; null where it was said of a record at this position of the log or behind it
   */
  tierOf(placed: Placed, position: number): Tier | null {
    const found = this.#tiers.get(nameOf(placed)) ?? 0;
    if (Math.floor(found / TEN) > position) return null;
    return TIERS[found % TEN] ?? 0;
  }

  /** Positions of former epochs lie behind the rebuild in any case, or are of another log. */
  #positionOf({ version }: TierSnapshot): number {
    if (version >> EPOCH_BITS !== BigInt(this.liveEpoch)) return 0;
    return Number(BigInt.asUintN(Number(EPOCH_BITS), version)) + 1;
  }

  *all(): Iterable<Placed> {
    for (const name of this.#tiers.keys()) {
      const [schemeId = '', brand = '', person = ''] = name.split(SEPARATOR);
      yield { brand, person, schemeId };
    }
  }
}

const TEN = 10;
const TIERS: readonly Tier[] = [0, 1, 2, 3, 4, 5];
const EPOCH_BITS = 48n;
const SEPARATOR = '\0';

function nameOf({ brand, person, schemeId }: Placed): string {
  return `${schemeId}${SEPARATOR}${personKey(brand, person)}`;
}
