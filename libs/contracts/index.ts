export { ConfluentSchemaRegistry, type ConfluentRegistryOptions } from './confluent-schema-registry.js';
export { DEAD_KEY_BYTES_MAX, DEAD_VALUE_BYTES_MAX, DeadLetterCodec } from './dead-letter-codec.js';
export { frameId } from './framing.js';
export { IntakeProgressCodec } from './intake-progress-codec.js';
export { LogGenerationCodec } from './log-generation-codec.js';
export { LocalSchemaRegistry, localSchemaId } from './local-schema-registry.js';
export { openCodecs, type Codecs } from './open-codecs.js';
export { loadOrCreatePseudonymKey, Pseudonymiser } from './pseudonymiser.js';
export { whileRegistryAway, type RegistryRetry } from './registry-retry.js';
export { RelationshipLogCodec } from './relationship-log-codec.js';
export { SchemaCatalog, subjectOf, type SchemaVersion } from './schema-catalog.js';
export { schemaDirectory } from './schema-directory.js';
export {
  IncompatibleSchemaError,
  UnregisteredSchemaError,
  type FoundSchema,
  type SchemaCheck,
  type SchemaRegistry,
} from './schema-registry.js';
export {
  DEFAULT_SOURCE_DECODER_OPTIONS,
  SourceDecoder,
  type SourceDecoderOptions,
} from './source-decoder.js';
export { SourceEncoder } from './source-encoder.js';
export {
  DEFAULT_SOURCE_TOPIC_KINDS,
  SOURCE_KINDS,
  SOURCE_TOPICS,
  type SourceKind,
  type SourceTopicKinds,
} from './source-topics.js';
export { TierChangedCodec } from './tier-changed-codec.js';
export { TiersCodec } from './tiers-codec.js';
export {
  LOG_PARTITIONS_EMBEDDED,
  LOG_PARTITIONS_KAFKA,
  SOURCE_PARTITIONS,
  logTopicSpec,
  topicSpecs,
  type TopicSettings,
} from './topics.js';
