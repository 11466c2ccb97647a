/**
 * Compacted topic `tiers`: the latest tier of each person, key `brand|scheme|person`. Written without avsc, like the
 * facts that go with it (`tier-changed-codec.ts`).
 */
import type { Tier } from '#domain';
import { TOPICS, type KeyedValue, type TierSnapshot, type TiersCodec as TiersPort } from '#pipeline';
import { AvroWriter } from './avro-writer.js';
import { assertVersion } from './current-version.js';
import { OwnTopic } from './own-topic.js';
import type { SchemaCatalog } from './schema-catalog.js';
import type { SchemaRegistry } from './schema-registry.js';
import { VersionText } from './version-text.js';

/** The schema version whose bytes this writes. */
const CODED_VERSION = 1;

export interface WireTierSnapshot {
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
  private readonly writer: AvroWriter;
  private readonly versions = new VersionText();

  private constructor(private readonly topic: OwnTopic<WireTierSnapshot>) {
    this.writer = new AvroWriter(topic.id);
  }

  /** @throws RegistryUnavailableError */
  static async open(registry: SchemaRegistry, catalog: SchemaCatalog): Promise<TiersCodec> {
    assertVersion(catalog, TOPICS.tiers, CODED_VERSION);
    return new TiersCodec(await OwnTopic.open(registry, catalog, TOPICS.tiers));
  }

  encode({
    brand,
    person,
    schemeId,
    periodId,
    tier,
    effectiveAt,
    detectedAt,
    version,
  }: TierSnapshot): KeyedValue {
    const { writer } = this;
    writer.start();
    writer.text(brand);
    writer.text(person);
    writer.text(schemeId);
    writer.text(periodId);
    writer.long(tier);
    writer.long(effectiveAt);
    writer.long(detectedAt);
    writer.text(this.versions.textOf(version));
    return { key: `${brand}|${schemeId}|${person}`, value: writer.end() };
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
