/** The relationship log alone, for commands that read it. */
import { join } from 'node:path';
import {
  ConfluentSchemaRegistry,
  LocalSchemaRegistry,
  RelationshipLogCodec,
  SchemaCatalog,
} from '#contracts';
import { EmbeddedLog } from '#embedded-log';
import type { KafkaLog } from '#kafka';
import { CurrentLog, type Log, type LogCodec } from '#pipeline';
import { kafkaAccess, registryAccess } from '#platform';
import type { CliConfig } from './cli-config.js';
import { usageError } from './exit-codes.js';

export interface OpenLog {
  readonly log: Log;
  readonly codec: LogCodec;
  close(): Promise<void>;
}

/** The embedded log needs the directory's lock. */
export async function openLog(config: CliConfig): Promise<OpenLog> {
  const plain = await openPlainLog(config);
  return { ...plain, log: new CurrentLog(plain.log) };
}

export interface PlainLog extends OpenLog {
  /** The log again, where it is one of Kafka. */
  readonly kafka: KafkaLog | null;
}

/** The same, in which every topic has its own name. */
export async function openPlainLog(config: CliConfig): Promise<PlainLog> {
  const catalog = SchemaCatalog.load();
  const kafka = config.kafkaBrokers === undefined ? null : await kafkaLog(config);
  const registry = kafka === null ? new LocalSchemaRegistry(catalog) : remoteRegistry(config, false);
  const codec = await RelationshipLogCodec.open(registry, catalog);
  const log = kafka ?? embeddedLog(config);
  return { log, codec, kafka, close: () => log.close() };
}

function embeddedLog(config: CliConfig): EmbeddedLog {
  return EmbeddedLog.open({ path: join(config.dataDir, 'log') });
}

/** The log without a codec. @throws CliError (usage) where a setting is missing */
export async function openLogAlone(config: CliConfig): Promise<Log> {
  return new CurrentLog(config.kafkaBrokers === undefined ? embeddedLog(config) : await kafkaLog(config));
}

/** @throws CliError (usage) where no registry is named */
export function remoteRegistry(config: CliConfig, register: boolean): ConfluentSchemaRegistry {
  if (config.schemaRegistryUrl === undefined) throw usageError('SCHEMA_REGISTRY_URL is not set');
  return new ConfluentSchemaRegistry({
    url: config.schemaRegistryUrl,
    auth: registryAccess(config),
    register,
    timeoutMs: 10_000,
  });
}

/** @throws CliError (usage) where no broker is named */
export async function remoteLog(config: CliConfig): Promise<Log> {
  return new CurrentLog(await kafkaLog(config));
}

/** Commands on the embedded log start without Kafka's client. */
async function kafkaLog(config: CliConfig): Promise<KafkaLog> {
  if (config.kafkaBrokers === undefined) throw usageError('KAFKA_BROKERS is not set');
  const access = kafkaAccess(config);
  const { KafkaLog } = await import('#kafka');
  return new KafkaLog({ brokers: config.kafkaBrokers, clientId: 'gravity-cli', ...access });
}
