/** The relationship log alone, for commands that read it. */
import { join } from 'node:path';
import {
  ConfluentSchemaRegistry,
  LocalSchemaRegistry,
  RelationshipLogCodec,
  SchemaCatalog,
} from '#contracts';
import { EmbeddedLog } from '#embedded-log';
import { KafkaLog } from '#kafka';
import { type Log, type LogCodec } from '#pipeline';
import { kafkaAccess, registryAccess } from '#platform';
import { type CliConfig } from './cli-config.js';
import { usageError } from './exit-codes.js';

export interface OpenLog {
  readonly log: Log;
  readonly codec: LogCodec;
  close(): Promise<void>;
}

/** The embedded log needs the directory's lock. */
export async function openLog(config: CliConfig): Promise<OpenLog> {
  const catalog = SchemaCatalog.load();
  const registry =
    config.kafkaBrokers === undefined ? new LocalSchemaRegistry(catalog) : remoteRegistry(config, false);
  const codec = await RelationshipLogCodec.open(registry, catalog);
  const log =
    config.kafkaBrokers === undefined
      ? EmbeddedLog.open({ path: join(config.dataDir, 'log') })
      : remoteLog(config);
  return { log, codec, close: () => log.close() };
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
export function remoteLog(config: CliConfig): KafkaLog {
  if (config.kafkaBrokers === undefined) throw usageError('KAFKA_BROKERS is not set');
  return new KafkaLog({ brokers: config.kafkaBrokers, clientId: 'gravity-cli', ...kafkaAccess(config) });
}
