import {
  DeadLetterCodec,
  IntakeProgressCodec,
  LogGenerationCodec,
  RelationshipLogCodec,
  type SchemaCatalog,
  type SchemaRegistry,
  SourceDecoder,
  SourceEncoder,
  TierChangedCodec,
  TiersCodec,
} from '#contracts';

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
