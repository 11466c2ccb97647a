/** Topic `tier-changes`: one fact a record, key `brand|person`. */
import { type Tier, type TierCause, type TierChanged } from '#domain';
import { TOPICS, type KeyedValue, type TierChangedCodec as TierChangedPort } from '#pipeline';
import { fromEpochDay, toEpochDay } from './epoch-day.js';
import { OwnTopic } from './own-topic.js';
import { type SchemaCatalog } from './schema-catalog.js';
import { type SchemaRegistry } from './schema-registry.js';

interface WireTierChanged {
  readonly brand: string;
  readonly person: string;
  readonly schemeId: string;
  readonly periodId: string;
  readonly fromTier: Tier;
  readonly toTier: Tier;
  readonly direction: 'UP' | 'DOWN';
  readonly cause: TierCause;
  readonly causeEventId: string | null;
  readonly effectiveAt: number;
  readonly detectedAt: number;
  readonly version: string;
  readonly evidence: {
    readonly purchaseDays: readonly number[];
    readonly everPurchased: boolean;
    readonly lastShareAt: number | null;
  };
}

export class TierChangedCodec implements TierChangedPort {
  private constructor(private readonly topic: OwnTopic<WireTierChanged>) {}

  /** @throws RegistryUnavailableError */
  static async open(registry: SchemaRegistry, catalog: SchemaCatalog): Promise<TierChangedCodec> {
    return new TierChangedCodec(await OwnTopic.open(registry, catalog, TOPICS.tierChanges));
  }

  encode(fact: TierChanged): KeyedValue {
    const { everPurchased, lastShareAt, purchaseDays } = fact.evidence;
    const value = this.topic.encode({
      brand: fact.brand,
      person: fact.person,
      schemeId: fact.schemeId,
      periodId: fact.periodId,
      fromTier: fact.from,
      toTier: fact.to,
      direction: fact.direction,
      cause: fact.cause,
      causeEventId: fact.causeEventId,
      effectiveAt: fact.effectiveAt,
      detectedAt: fact.detectedAt,
      version: fact.version.toString(),
      evidence: { purchaseDays: purchaseDays.map(toEpochDay), everPurchased, lastShareAt },
    });
    return { key: `${fact.brand}|${fact.person}`, value };
  }

  decode(value: Buffer): TierChanged {
    const wire = this.topic.decode(value);
    const { everPurchased, lastShareAt, purchaseDays } = wire.evidence;
    return {
      type: 'tierChanged',
      brand: wire.brand,
      person: wire.person,
      schemeId: wire.schemeId,
      periodId: wire.periodId,
      from: wire.fromTier,
      to: wire.toTier,
      direction: wire.direction,
      cause: wire.cause,
      causeEventId: wire.causeEventId,
      effectiveAt: wire.effectiveAt,
      detectedAt: wire.detectedAt,
      version: BigInt(wire.version),
      evidence: { purchaseDays: purchaseDays.map(fromEpochDay), everPurchased, lastShareAt },
    };
  }
}
