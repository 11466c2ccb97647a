import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ClickHouse, createClickHouse, migrate } from '#clickhouse';
import {
  type Codecs,
  ConfluentSchemaRegistry,
  LOG_PARTITIONS_EMBEDDED,
  LocalSchemaRegistry,
  openCodecs,
  SchemaCatalog,
  type SchemaRegistry,
  topicSpecs,
} from '#contracts';
import { logDirectory, openStateStore, openStateStoreAnyway, type OpenStateStore } from '#data-folder';
import type { Rules } from '#domain';
import { EmbeddedLog } from '#embedded-log';
import type { KafkaLog } from '#kafka';
import { CurrentLog, initialiseLog, type Log, type LogSetup, type SnapshotStore } from '#pipeline';
import { type AppLogger, ConfigError, Dependency } from '#runtime';
import { DataDirectoryLock, SnapshotDirectory } from '#state-store';
import { kafkaAccess, registryAccess } from './server-access.js';
import type { PlatformConfig } from './settings.js';
import { watchedClickHouse, watchedRegistry } from './watched.js';

/** Log, registry and ClickHouse: do they answer? */
interface PlatformStatus {
  readonly log: Dependency;
  readonly registry: Dependency;
  readonly clickhouse: Dependency;
}

/** What the apps run on: the adapters that the configuration has chosen, and the codecs over them. */
export class Platform {
  #codecs: Codecs | null = null;
  readonly #closing = new AbortController();
  readonly clickhouse: ClickHouse;
  readonly registry: SchemaRegistry;

  private constructor(
    readonly dataDir: string,
    readonly log: Log,
    readonly catalog: SchemaCatalog,
    private readonly status: PlatformStatus,
    private readonly adapters: Adapters,
    private readonly partitions: number,
    /** Null where nothing of this process lives in the data folder. */
    readonly lock: DataDirectoryLock | null,
    private readonly logger: AppLogger,
  ) {
    const { signal } = this.#closing;
    this.clickhouse = watchedClickHouse(adapters.clickhouse, status.clickhouse, signal);
    this.registry = watchedRegistry(adapters.registry, status.registry, signal);
  }

  /** Whether Kafka answers; for readiness. */
  get logStatus(): Dependency {
    return this.status.log;
  }

  get registryStatus(): Dependency {
    return this.status.registry;
  }

  get clickhouseStatus(): Dependency {
    return this.status.clickhouse;
  }

  /** One process has the log, in its data folder. */
  get isEmbedded(): boolean {
    return this.adapters.isEmbedded;
  }

  /**
   * Opens what is local and contacts no server yet: `ready` waits for those.
   *
   * @param ownsDataDir   this process keeps state in the data folder, so nobody else may
   * @throws DataDirectoryLockedError
   * @throws ConfigError   settings that do not go together
   */
  static async open(config: PlatformConfig, ownsDataDir: boolean, logger: AppLogger): Promise<Platform> {
    const lock = ownsDataDir ? DataDirectoryLock.acquire(config.dataDir) : null;
    if (lock?.takenOver === true) {
      logger.warn('took over the data folder of a process that is gone', { dataDir: config.dataDir });
    }
    try {
      const catalog = SchemaCatalog.load();
      const status = {
        log: new Dependency(config.kafkaBrokers === undefined ? 'embedded log' : 'kafka', logger),
        registry: new Dependency('schema registry', logger),
        clickhouse: new Dependency('clickhouse', logger),
      };
      const adapters = await openAdapters(config, catalog, status, logger);
      const partitions = config.embeddedPartitions ?? LOG_PARTITIONS_EMBEDDED;
      return new Platform(config.dataDir, adapters.log, catalog, status, adapters, partitions, lock, logger);
    } catch (error) {
      lock?.release();
      throw error;
    }
  }

  /**
   * Waits for log, registry and ClickHouse, and brings the tables up to date. On the embedded log it also
   * makes the topics; on Kafka they are made by `gravity topics apply`, and missing ones are waited for.
   *
   * @throws the signal's reason once it is aborted
   */
  async ready(signal: AbortSignal): Promise<void> {
    if (this.isEmbedded)
      await this.log.applyTopics(topicSpecs({ relationshipLogPartitions: this.partitions }), false);
    await this.status.log.waitFor(() => this.#assertTopics(), signal);
    this.#codecs = await this.status.registry.waitFor(() => openCodecs(this.registry, this.catalog), signal);
    await this.status.clickhouse.waitFor(() => this.clickhouse.ping(), signal);
    await migrate(this.clickhouse, { directory: migrationsDirectory() });
  }

  /** Gives the relationship log its first records where it has none. */
  initialiseLog(rules?: Rules): Promise<LogSetup> {
    const options = { newLogId: randomUUID(), now: Date.now };
    return initialiseLog(this.log, this.codecs().log, rules === undefined ? options : { ...options, rules });
  }

  /** @throws Error before `ready` */
  codecs(): Codecs {
    if (this.#codecs === null) throw new Error('the platform is not ready yet');
    return this.#codecs;
  }

  async partitionsOf(topic: string): Promise<number> {
    const ends = await this.log.ends(topic);
    if (ends.length === 0) throw new Error(`topic ${topic} does not exist; run \`gravity topics apply\``);
    return ends.length;
  }

  /** One that cannot be read is set aside, which the log says. */
  openStateStore(name: string): OpenStateStore {
    if (this.lock === null) return openStateStore(this.dataDir, name);
    return openStateStoreAnyway(this.dataDir, name, (reason, kept) =>
      this.logger.warn('the local store could not be read and was set aside', { reason, kept }),
    );
  }

  openSnapshots(directory: string): SnapshotStore {
    return new SnapshotDirectory(directory);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.clickhouse.close();
    await this.log.close();
    this.lock?.release();
  }

  async #assertTopics(): Promise<void> {
    for (const { topic } of topicSpecs({ relationshipLogPartitions: this.partitions }))
      await this.partitionsOf(topic);
  }
}

interface Adapters {
  readonly isEmbedded: boolean;
  readonly log: Log;
  readonly registry: SchemaRegistry;
  readonly clickhouse: ClickHouse;
}

async function openAdapters(
  config: PlatformConfig,
  catalog: SchemaCatalog,
  status: PlatformStatus,
  logger: AppLogger,
): Promise<Adapters> {
  const { kafkaBrokers, schemaRegistryUrl, clickhouseUrl, dataDir } = config;
  if (kafkaBrokers !== undefined && schemaRegistryUrl === undefined) {
    throw new ConfigError(['KAFKA_BROKERS is set, so SCHEMA_REGISTRY_URL is needed too']);
  }
  // Before an engine is opened, which makes its folder.
  const access = kafkaBrokers === undefined ? {} : kafkaAccess(config);
  const clickhouse = await createClickHouse(
    clickhouseUrl === undefined
      ? { path: join(dataDir, 'clickhouse') }
      : { url: clickhouseUrl, username: config.clickhouseUser, password: config.clickhousePassword },
  );
  try {
    if (kafkaBrokers === undefined || schemaRegistryUrl === undefined) {
      const log = openEmbedded(dataDir, logger);
      const registry = new LocalSchemaRegistry(catalog);
      return { isEmbedded: true, log: new CurrentLog(log), registry, clickhouse };
    }
    const log = await openKafka(kafkaBrokers, access, status.log, logger);
    const registry = new ConfluentSchemaRegistry({
      url: schemaRegistryUrl,
      auth: registryAccess(config),
      register: true,
      timeoutMs: REGISTRY_TIMEOUT_MS,
    });
    return { isEmbedded: false, log: new CurrentLog(log), registry, clickhouse };
  } catch (error) {
    // A process can have one engine open.
    await clickhouse.close();
    throw error;
  }
}

function openEmbedded(dataDir: string, logger: AppLogger): EmbeddedLog {
  return EmbeddedLog.open({
    path: logDirectory(dataDir),
    onHandlerFailure: (failure) => logger.warnRepeated('a batch failed and comes again', { ...failure }),
  });
}

/** Kafka's client is loaded only where it is needed. */
async function openKafka(
  brokers: readonly string[],
  access: ReturnType<typeof kafkaAccess>,
  status: Dependency,
  logger: AppLogger,
): Promise<KafkaLog> {
  const { KafkaLog } = await import('#kafka');
  return new KafkaLog({
    brokers,
    ...access,
    clientId: 'channel-gravity',
    onStatus: (seen) => {
      if (seen.ok) status.up();
      else status.down(seen.detail);
    },
    onFailure: (error) => logger.warnRepeated('a batch failed and comes again', { err: error }),
    onAlarm: (alarm) =>
      logger.error('records that should have been read are gone from the log', { ...alarm }),
  });
}

const REGISTRY_TIMEOUT_MS = 5_000;

/** `deploy/clickhouse` of this package, from the built form and from source alike. */
export function migrationsDirectory(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'deploy', 'clickhouse'))) {
    const parent = dirname(folder);
    if (parent === folder) throw new Error('deploy/clickhouse is missing from the installation');
    folder = parent;
  }
  return join(folder, 'deploy', 'clickhouse');
}
