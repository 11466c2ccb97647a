import { personKey, type Tier } from '#domain';
import { type TiersCodec } from './codecs.js';
import { type Log } from './log.js';
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
  readonly #tiers = new Map<string, Tier>();
  readonly #readTo = new Map<number, number>();

  constructor(
    private readonly log: Pick<Log, 'ends' | 'read' | 'settled'>,
    private readonly codec: TiersCodec,
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
          this.#tiers.set(nameOf(snapshot), snapshot.tier);
          onRead(snapshot);
        }
      }
      this.#readTo.set(partition, Math.max(from, end));
    }
  }

  /** 0 where nothing was ever said. */
  tierOf(placed: Placed): Tier {
    return this.#tiers.get(nameOf(placed)) ?? 0;
  }

  *all(): Iterable<Placed> {
    for (const name of this.#tiers.keys()) {
      const [schemeId = '', brand = '', person = ''] = name.split(SEPARATOR);
      yield { brand, person, schemeId };
    }
  }
}

const SEPARATOR = '\0';

function nameOf({ brand, person, schemeId }: Placed): string {
  return `${schemeId}${SEPARATOR}${personKey(brand, person)}`;
}
