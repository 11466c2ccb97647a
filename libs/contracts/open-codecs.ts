import { DeadLetterCodec } from './dead-letter-codec.js';
import { IntakeProgressCodec } from './intake-progress-codec.js';
import { LogGenerationCodec } from './log-generation-codec.js';
import { RelationshipLogCodec } from './relationship-log-codec.js';
import type { SchemaCatalog } from './schema-catalog.js';
import type { SchemaRegistry } from './schema-registry.js';
import { SourceDecoder } from './source-decoder.js';
import { SourceEncoder } from './source-encoder.js';
import { TierChangedCodec } from './tier-changed-codec.js';
import { TiersCodec } from './tiers-codec.js';

/** Bytes to values and back, for every topic. */
export interface Codecs {
  readonly source: SourceDecoder;
  readonly sourceEncoder: SourceEncoder;
  readonly log: RelationshipLogCodec;
  readonly intakeProgress: IntakeProgressCodec;
  readonly generations: LogGenerationCodec;
  readonly tierChanged: TierChangedCodec;
  readonly tiers: TiersCodec;
  readonly deadLetter: DeadLetterCodec;
}

/** @throws RegistryUnavailableError   wait and try again */
export async function openCodecs(registry: SchemaRegistry, catalog: SchemaCatalog): Promise<Codecs> {
  return {
    source: new SourceDecoder(registry, catalog),
    sourceEncoder: await SourceEncoder.open(registry, catalog),
    log: await RelationshipLogCodec.open(registry, catalog),
    intakeProgress: await IntakeProgressCodec.open(registry, catalog),
    generations: await LogGenerationCodec.open(registry, catalog),
    tierChanged: await TierChangedCodec.open(registry, catalog),
    tiers: await TiersCodec.open(registry, catalog),
    deadLetter: await DeadLetterCodec.open(registry, catalog),
  };
}
