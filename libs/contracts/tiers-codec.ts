/** Compacted topic `tiers`: the latest tier of each person, key `brand|scheme|person`. */
import { type Tier } from '#domain';
import { TOPICS, type KeyedValue, type TierSnapshot, type TiersCodec as TiersPort } from '#pipeline';
import { OwnTopic } from './own-topic.js';
import { type SchemaCatalog } from './schema-catalog.js';
import { type SchemaRegistry } from './schema-registry.js';

interface WireTierSnapshot {
  readonly brand: string;
  readonly person: string;
  readonly schemeId: string;
  readonly periodId: string;
  readonly tier: Tier;
  readonly effectiveAt: number;
  readonly detectedAt: number;
  readonly version: string;
}

export class TiersCodec implements TiersPort {
  private constructor(private readonly topic: OwnTopic<WireTierSnapshot>) {}

  /** @throws RegistryUnavailableError */
  static async open(registry: SchemaRegistry, catalog: SchemaCatalog): Promise<TiersCodec> {
    return new TiersCodec(await OwnTopic.open(registry, catalog, TOPICS.tiers));
  }

  encode(snapshot: TierSnapshot): KeyedValue {
    const { brand, person, schemeId, periodId, tier, effectiveAt, detectedAt } = snapshot;
    const version = snapshot.version.toString();
    const wire = { brand, person, schemeId, periodId, tier, effectiveAt, detectedAt, version };
    return { key: `${brand}|${schemeId}|${person}`, value: this.topic.encode(wire) };
  }

  decode(value: Buffer): TierSnapshot {
    const { brand, person, schemeId, periodId, tier, effectiveAt, detectedAt, version } =
      this.topic.decode(value);
    return {
      brand,
      person,
      schemeId,
      periodId,
      tier,
      effectiveAt,
      detectedAt,
      version: BigInt(version),
    };
  }
}
