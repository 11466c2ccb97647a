/**
 * Topic `tier-changes`: one fact a record, key `brand|person`. A night at its busiest writes two records for every
 * event, so the current version is written and read without avsc; a property test holds both ways equal.
 */
import type { Tier, TierCause, TierChanged } from '#domain';
import {
  LogCorruptError,
  TOPICS,
  type KeyedValue,
  type TierChangedCodec as TierChangedPort,
} from '#pipeline';
import { AvroCursor } from './avro-cursor.js';
import { AvroWriter } from './avro-writer.js';
import { assertVersion } from './current-version.js';
import { fromEpochDay, toEpochDay } from './epoch-day.js';
import { FRAME_BYTES, frameId } from './framing.js';
import { OwnTopic } from './own-topic.js';
import type { SchemaCatalog } from './schema-catalog.js';
import type { SchemaRegistry } from './schema-registry.js';
import { VersionText } from './version-text.js';

/** The schema version whose bytes this writes and reads. */
const CODED_VERSION = 1;

/** In the schema's order. */
const DIRECTIONS: readonly TierChanged['direction'][] = ['UP', 'DOWN'];
const CAUSES: readonly TierCause[] = ['EVENT', 'TIME', 'REFUND', 'UNLINK', 'MERGE', 'RESTATE', 'ERASURE'];
const TIERS: readonly Tier[] = [0, 1, 2, 3, 4, 5];

export interface WireTierChanged {
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
  private readonly writer: AvroWriter;
  private readonly cursor = new AvroCursor();
  private readonly versions = new VersionText();

  private constructor(private readonly topic: OwnTopic<WireTierChanged>) {
    this.writer = new AvroWriter(topic.id);
  }

  /** @throws RegistryUnavailableError */
  static async open(registry: SchemaRegistry, catalog: SchemaCatalog): Promise<TierChangedCodec> {
    assertVersion(catalog, TOPICS.tierChanges, CODED_VERSION);
    return new TierChangedCodec(await OwnTopic.open(registry, catalog, TOPICS.tierChanges));
  }

  encode(fact: TierChanged): KeyedValue {
    const { writer } = this;
    const { everPurchased, lastShareAt, purchaseDays } = fact.evidence;
    writer.start();
    writer.text(fact.brand);
    writer.text(fact.person);
    writer.text(fact.schemeId);
    writer.text(fact.periodId);
    writer.symbol(TIERS, fact.from);
    writer.symbol(TIERS, fact.to);
    writer.symbol(DIRECTIONS, fact.direction);
    writer.symbol(CAUSES, fact.cause);
    writer.optionalText(fact.causeEventId);
    writer.long(fact.effectiveAt);
    writer.long(fact.detectedAt);
    writer.text(this.versions.textOf(fact.version));
    if (purchaseDays.length > 0) {
      writer.long(purchaseDays.length);
      for (const day of purchaseDays) writer.long(toEpochDay(day));
    }
    writer.long(0);
    writer.boolean(everPurchased);
    writer.optionalLong(lastShareAt);
    return { key: `${fact.brand}|${fact.person}`, value: writer.end() };
  }

  /** @throws LogCorruptError */
  decode(value: Buffer): TierChanged {
    return frameId(value) === this.topic.id ? this.read(value) : fromWire(this.topic.decode(value));
  }

  private read(value: Buffer): TierChanged {
    const { cursor } = this;
    cursor.start(value, FRAME_BYTES);
    const fact: TierChanged = {
      type: 'tierChanged',
      brand: cursor.commonText(),
      person: cursor.text(),
      schemeId: cursor.commonText(),
      periodId: cursor.commonText(),
      from: cursor.symbol(TIERS),
      to: cursor.symbol(TIERS),
      direction: cursor.symbol(DIRECTIONS),
      cause: cursor.symbol(CAUSES),
      causeEventId: cursor.optionalText(),
      effectiveAt: cursor.long(),
      detectedAt: cursor.long(),
      version: this.versions.versionOf(cursor.commonText()),
      evidence: {
        purchaseDays: this.days(),
        everPurchased: cursor.boolean(),
        lastShareAt: cursor.optionalLong(),
      },
    };
    cursor.end();
    return fact;
  }

  private days(): readonly string[] {
    const { cursor } = this;
    const days: string[] = [];
    for (let count = cursor.blockCount(); count > 0; count = cursor.blockCount()) {
      for (let left = count; left > 0; left--) days.push(dayOf(cursor.long()));
    }
    return days;
  }
}

function fromWire(wire: WireTierChanged): TierChanged {
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
    evidence: { purchaseDays: purchaseDays.map(dayOf), everPurchased, lastShareAt },
  };
}

function dayOf(epochDay: number): string {
  try {
    return fromEpochDay(epochDay);
  } catch (cause) {
    throw new LogCorruptError(`a purchase day is none: ${epochDay}`, { cause });
  }
}
