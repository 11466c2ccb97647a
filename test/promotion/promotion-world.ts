/** Kafka with four partitions of the relationship log, a registry, ClickHouse's engine, and the apps as processes. */
import { createClickHouse, integer, rowOf, type ClickHouse } from '#clickhouse';
import {
  ConfluentSchemaRegistry,
  Pseudonymiser,
  SchemaCatalog,
  SOURCE_TOPICS,
  topicSpecs,
  openCodecs,
  type Codecs,
} from '#contracts';
import type { Rules } from '#domain';
import { KafkaLog } from '#kafka';
import { initialiseLog, TOPICS } from '#pipeline';
import { eventually, type GravityOutcome, runGravity, TempDir } from '#testing';
import { writeHistory } from '../../apps/simulator/history-writer.js';
import { BRANDS, type Brand } from '../../apps/simulator/night/market.js';
import { PromotionNight } from '../../apps/simulator/night/promotion-night.js';
import { simulatedRules } from '../../apps/simulator/simulated-rules.js';
import { ServiceProcess } from '../integration/service-process.js';
import { clickHouseEndpoint, type ClickHouseEndpoint } from '../servers/clickhouse-facade.js';
import { KafkaServer } from '../servers/kafka-server.js';
import { sharedRegistry } from '../servers/servers.js';
import type { PromotionOptions } from './promotion-options.js';

export const LOG_PARTITIONS = 4;
const SOURCE_PARTITIONS = 2;
const HOUR = 3_600_000;
/** Nothing moves for so long: then something is broken. */
const STALL_MS = 900_000;
const READY_MS = 120_000;
const LOOK_MS = 1_000;
const FEW = 100;
const GROUPS = { intake: 'intake', fold: 'relationship', archive: 'archive' } as const;

export class PromotionWorld {
  readonly feedLog: KafkaLog;
  historyEvents = 0;
  readonly #services: ServiceProcess[] = [];

  private constructor(
    private readonly directory: TempDir,
    private readonly kafka: KafkaServer,
    private readonly registryUrl: string,
    private readonly endpoint: ClickHouseEndpoint,
    readonly clickhouse: ClickHouse,
    readonly codecs: Codecs,
    readonly log: KafkaLog,
    readonly night: PromotionNight,
  ) {
    this.feedLog = new KafkaLog({ brokers: kafka.brokers, clientId: 'producers' });
  }

  static async open({ seed, persons }: PromotionOptions): Promise<PromotionWorld> {
    const directory = new TempDir('promotion');
    const [kafka, registryUrl, endpoint] = await Promise.all([
      KafkaServer.start(),
      sharedRegistry(),
      clickHouseEndpoint(directory.join('clickhouse')),
    ]);
    const { url, username, password } = endpoint;
    const clickhouse = await createClickHouse({ url, username, password });
    const schemas = new ConfluentSchemaRegistry({
      ...{ url: registryUrl, auth: null, register: true, timeoutMs: 30_000 },
    });
    const codecs = await openCodecs(schemas, SchemaCatalog.load());
    const log = new KafkaLog({ brokers: kafka.brokers, clientId: 'promotion' });
    await log.applyTopics(
      topicSpecs({ relationshipLogPartitions: LOG_PARTITIONS, sourcePartitions: SOURCE_PARTITIONS }),
      false,
    );
    const night = new PromotionNight(seed, brandsOf(persons));
    return new PromotionWorld(directory, kafka, registryUrl, endpoint, clickhouse, codecs, log, night);
  }

  /** Weeks of ordinary days, and then everybody is there. */
  async start(options: PromotionOptions): Promise<void> {
    const { log, codecs, night, directory } = this;
    const anchor = Math.floor(Date.now() / HOUR) * HOUR;
    const rules: Rules = { ...simulatedRules(anchor), fineRowsFrom: anchor - options.fineHours * HOUR };
    await eventually(
      () => initialiseLog(log, codecs.log, { newLogId: `promotion-${options.seed}`, now: Date.now, rules }),
      STALL_MS,
    );
    const keyFile = directory.join('pseudonym.key');
    const pseudonymiser = Pseudonymiser.fromKeyFile(keyFile);
    const written = await writeHistory(
      { log, codec: codecs.log, partitions: LOG_PARTITIONS },
      night,
      {
        ...{ anchor, rules, days: options.historyDays, eventsPerDay: options.historyEventsPerDay },
        pseudonymise: (event) => pseudonymiser.apply(event),
      },
      {},
      new AbortController().signal,
    );
    this.historyEvents = written.events;
    for (const name of ['intake', 'relationship', 'archive'] as const) {
      const service = new ServiceProcess(name, {
        ...{ ...this.env, GRAVITY_DATA_DIR: directory.join(name) },
        ...(name === 'intake' ? { GRAVITY_PSEUDONYM_KEY_FILE: keyFile } : {}),
      });
      this.#services.push(service);
      service.start();
    }
    for (const service of this.#services) await service.ready(READY_MS);
  }

  gravity(...argv: readonly string[]): Promise<GravityOutcome> {
    return runGravity(argv, { ...this.env, GRAVITY_DATA_DIR: this.directory.join('cli') });
  }

  /** All is read, time has passed over all of it, and all of it is folded, sent, stored and archived. */
  async settle(lastAt: number, onLook: (behind: number) => void): Promise<void> {
    await this.#readToEnd(GROUPS.intake, Object.values(SOURCE_TOPICS), onLook);
    // Whoever is behind adds no ticks.
    await this.#readToEnd(GROUPS.fold, [TOPICS.relationshipLog], onLook);
    await this.#tickedBeyond(lastAt);
    const [intake] = this.#services;
    await intake?.end('SIGTERM');
    // Nobody says any more how far intake has read: no further tick comes, and the log is as it will be.
    let ends = '';
    for (let isStill = false; !isStill;) {
      const before = ends;
      ends = JSON.stringify(await this.log.ends(TOPICS.relationshipLog));
      isStill = ends === before;
      await this.#readToEnd(GROUPS.fold, [TOPICS.relationshipLog], onLook);
      if (!isStill) await pause(3 * LOOK_MS);
    }
    await this.#readToEnd(GROUPS.archive, [TOPICS.relationshipLog, TOPICS.tierChanges], onLook);
    await this.#outboxEmpty(onLook);
  }

  async counted(): Promise<readonly (readonly [what: string, count: number])[]> {
    const tables = { 'raw facts': 'touchpoints', 'tier changes': 'tier_changes', persons: 'persons' };
    const figures = { 'window rows': 'window_figures', 'period rows': 'period_figures', late: 'late_events' };
    return Promise.all(
      Object.entries({ ...tables, ...figures }).map(async ([what, table]): Promise<[string, number]> => {
        const [found] = await this.clickhouse.query({
          sql: `SELECT count() AS rows FROM gravity.${table} FINAL`,
          row: rowOf({ rows: integer }),
        });
        return [what === 'late' ? 'entries of the late ledger' : what, found?.rows ?? 0];
      }),
    );
  }

  async close(): Promise<void> {
    for (const service of this.#services) await service.end('SIGKILL');
    await Promise.all([this.log.close(), this.feedLog.close(), this.clickhouse.close()]);
    await Promise.all([this.kafka.stop(), this.endpoint.close()]);
    this.directory.remove();
  }

  /** Until a group has nothing left to read of these topics. @throws Error   it has stopped before */
  async #readToEnd(
    group: string,
    topics: readonly string[],
    onLook: (behind: number) => void,
  ): Promise<void> {
    await this.#untilNone(`${group} has records to read`, onLook, async () => {
      let behind = 0;
      for (const topic of topics) {
        for (const { partition, end } of await this.log.ends(topic)) {
          const at = (await this.log.committed(group, { topic, partition })) ?? 0;
          behind += end - at > FEW ? end - at : await this.#recordsFrom(topic, partition, at);
        }
      }
      return behind;
    });
  }

  /** What stands last may be the end of a transaction, which nobody reads. */
  async #recordsFrom(topic: string, partition: number, at: number): Promise<number> {
    let count = 0;
    for await (const { records } of this.log.read({ topic, partition }, at)) count += records.length;
    return count;
  }

  /** Rows that wait for ClickHouse. */
  async #outboxEmpty(onLook: (behind: number) => void): Promise<void> {
    const relationship = this.#services[1];
    await this.#untilNone('rows wait for ClickHouse', onLook, async () => {
      const lines = (await relationship?.metric('gravity_outbox_entries')) ?? '';
      return lines.split('\n').reduce((sum, line) => sum + Number(/ (\d+)$/.exec(line)?.[1] ?? 0), 0);
    });
  }

  async #tickedBeyond(at: number): Promise<void> {
    await eventually(async () => {
      for (const { partition, end } of await this.log.ends(TOPICS.relationshipLog)) {
        const input = { topic: TOPICS.relationshipLog, partition };
        let tick = 0;
        for await (const { records } of this.log.read(input, Math.max(0, end - 50))) {
          for (const { value } of records) {
            const entry = this.codecs.log.decode(value);
            if (entry.type === 'tick') tick = Math.max(tick, entry.at);
          }
        }
        if (tick <= at) throw new Error(`partition ${partition} has a tick of ${tick}, none after ${at}`);
      }
    }, STALL_MS);
  }

  async #untilNone(
    what: string,
    onLook: (left: number) => void,
    count: () => Promise<number>,
  ): Promise<void> {
    let least = Infinity;
    for (let movedAt = Date.now(); ;) {
      const left = await count();
      if (left === 0) return;
      onLook(left);
      if (left < least) movedAt = Date.now();
      least = Math.min(least, left);
      if (Date.now() - movedAt > STALL_MS) throw new Error(`${what}: ${left}, for minutes`);
      await pause(LOOK_MS);
    }
  }

  get env(): Readonly<Record<string, string>> {
    const { url, username, password } = this.endpoint;
    return {
      ...{ KAFKA_BROKERS: this.kafka.brokers.join(','), SCHEMA_REGISTRY_URL: this.registryUrl },
      ...{ CLICKHOUSE_URL: url, CLICKHOUSE_USER: username, CLICKHOUSE_PASSWORD: password },
      HOME: this.directory.path,
    };
  }
}

function brandsOf(persons: number): readonly Brand[] {
  const all = BRANDS.reduce((sum, brand) => sum + brand.persons, 0);
  return BRANDS.map((brand) => ({
    ...brand,
    persons: Math.max(1, Math.round((persons * brand.persons) / all)),
  }));
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
