import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ClickHouse, createClickHouse, migrate } from '#clickhouse';
import {
  ConfluentSchemaRegistry,
  LocalSchemaRegistry,
  SchemaCatalog,
  type SchemaRegistry,
  topicSpecs,
} from '#contracts';
import { type Rules } from '#domain';
import { EmbeddedLog } from '#embedded-log';
import { KafkaLog } from '#kafka';
import { initialiseLog, type Log, type LogSetup, type StateStore } from '#pipeline';
import { type AppLogger, Dependency } from '#service';
import { DataDirectoryLock, LmdbStateStore } from '#state-store';
import { type Codecs, openCodecs } from './codecs.js';
import { type PlatformConfig } from './settings.js';

export interface OpenStateStore {
  readonly store: StateStore;
  readonly directory: string;
}

/** What the apps run on: the adapters that the configuration has chosen, and the codecs over them. */
export class Platform {
  #codecs: Codecs | null = null;
  readonly registryStatus: Dependency;
  readonly clickhouseStatus: Dependency;
  readonly logStatus: Dependency;

  private constructor(
    readonly isEmbedded: boolean,
    readonly dataDir: string,
    readonly log: Log,
    readonly registry: SchemaRegistry,
    readonly catalog: SchemaCatalog,
    readonly clickhouse: ClickHouse,
    private readonly partitions: number,
    /** Null where nothing of this process lives in the data folder. */
    readonly lock: DataDirectoryLock | null,
    logger: AppLogger,
  ) {
    this.logStatus = new Dependency(isEmbedded ? 'embedded log' : 'kafka', logger);
    this.registryStatus = new Dependency('schema registry', logger);
    this.clickhouseStatus = new Dependency('clickhouse', logger);
  }

  /**
   * Opens what is local and contacts no server yet: `ready` waits for those.
   *
   * @param ownsDataDir   this process keeps state in the data folder, so nobody else may
   * @throws DataDirectoryLockedError
   */
  static async open(config: PlatformConfig, ownsDataDir: boolean, logger: AppLogger): Promise<Platform> {
    const lock = ownsDataDir ? DataDirectoryLock.acquire(config.dataDir) : null;
    if (lock?.takenOver === true) {
      logger.warn('took over the data folder of a process that is gone', { dataDir: config.dataDir });
    }
    try {
      return await Platform.#openAdapters(config, lock, logger);
    } catch (error) {
      lock?.release();
      throw error;
    }
  }

  static async #openAdapters(
    config: PlatformConfig,
    lock: DataDirectoryLock | null,
    logger: AppLogger,
  ): Promise<Platform> {
    const catalog = SchemaCatalog.load();
    const { kafkaBrokers, schemaRegistryUrl, clickhouseUrl, dataDir } = config;
    const isEmbedded = kafkaBrokers === undefined;
    if (!isEmbedded && schemaRegistryUrl === undefined) {
      throw new Error('KAFKA_BROKERS is set, so SCHEMA_REGISTRY_URL is needed too');
    }
    const clickhouse = await createClickHouse(
      clickhouseUrl === undefined
        ? { path: join(dataDir, 'clickhouse') }
        : { url: clickhouseUrl, username: config.clickhouseUser, password: config.clickhousePassword },
    );
    return new Platform(
      isEmbedded,
      dataDir,
      isEmbedded
        ? EmbeddedLog.open({ path: join(dataDir, 'log') })
        : new KafkaLog({ brokers: kafkaBrokers, clientId: 'channel-gravity' }),
      schemaRegistryUrl === undefined || isEmbedded
        ? new LocalSchemaRegistry(catalog)
        : new ConfluentSchemaRegistry({
            url: schemaRegistryUrl,
            auth: null,
            register: true,
            timeoutMs: 5_000,
          }),
      catalog,
      clickhouse,
      config.embeddedPartitions ?? 4,
      lock,
      logger,
    );
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
    await this.logStatus.waitFor(() => this.#assertTopics(), signal);
    this.#codecs = await this.registryStatus.waitFor(() => openCodecs(this.registry, this.catalog), signal);
    await this.clickhouseStatus.waitFor(() => this.clickhouse.ping(), signal);
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

  openStateStore(name: string): OpenStateStore {
    const directory = join(this.dataDir, 'state', name);
    return { directory, store: LmdbStateStore.open({ path: directory }) };
  }

  async close(): Promise<void> {
    await this.clickhouse.close();
    await this.log.close();
    this.lock?.release();
  }

  async #assertTopics(): Promise<void> {
    for (const { topic } of topicSpecs({ relationshipLogPartitions: this.partitions }))
      await this.partitionsOf(topic);
  }
}

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
