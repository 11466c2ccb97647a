/** The real path of the log in one process, driven by hand: embedded log, LMDB store, Avro codecs, a recording sink. */
import { rmSync } from 'node:fs';
import { type Codecs, LocalSchemaRegistry, openCodecs, SchemaCatalog, topicSpecs } from '#contracts';
import type { LogEntry, TierChanged } from '#domain';
import { EmbeddedLog } from '#embedded-log';
import {
  DEFAULT_RELATIONSHIP_SETTINGS,
  RelationshipWorker,
  TOPICS,
  type BatchControl,
  type ConsumerHandler,
  type IntakeObserver,
  type Log,
  type OutgoingRecord,
  type RecordBatch,
  type RelationshipObserver,
  type RelationshipPorts,
  type RelationshipSettings,
  type TierSnapshot,
  type TopicPartition,
} from '#pipeline';
import { LmdbStateStore } from '#state-store';
import { RecordingFigureSink } from './recording-figure-sink.js';
import { TempDir } from './temp-dir.js';

const catalog = SchemaCatalog.load();

export function localCodecs(): Promise<Codecs> {
  return openCodecs(new LocalSchemaRegistry(catalog), catalog);
}

export const WORLD_GROUP = 'relationship';
export const SILENT_OBSERVER: RelationshipObserver = {
  opened: () => undefined,
  batch: () => undefined,
  pumped: () => undefined,
  checkpointed: () => undefined,
  closed: () => undefined,
  snapshots: { found: () => undefined, taken: () => undefined, failed: () => undefined },
};
export const SILENT_INTAKE: IntakeObserver = {
  batch: () => undefined,
  waiting: () => undefined,
  topicStopped: () => undefined,
  topicResumed: () => undefined,
};
export const PATIENT: BatchControl = { heartbeat: () => Promise.resolve(), isStale: () => false };

export class PipelineWorld {
  readonly sink = new RecordingFigureSink();
  /** The clock of the worker, ms; it stands still unless a test moves it. */
  clock = 0;

  private constructor(
    private readonly dir: TempDir,
    readonly log: EmbeddedLog,
    public store: LmdbStateStore,
    readonly codecs: Codecs,
    readonly partitions: number,
  ) {}

  static async open(partitions = 1, now: () => number = Date.now): Promise<PipelineWorld> {
    const dir = new TempDir('world');
    const log = EmbeddedLog.open({ path: dir.join('log'), now, backoffMs: { first: 5, most: 50 } });
    await log.applyTopics(topicSpecs({ relationshipLogPartitions: partitions, sourcePartitions: 1 }), false);
    const store = LmdbStateStore.open({ path: dir.join('state') });
    return new PipelineWorld(dir, log, store, await localCodecs(), partitions);
  }

  get storeDirectory(): string {
    return this.dir.join('state');
  }

  input(partition = 0): TopicPartition {
    return { topic: TOPICS.relationshipLog, partition };
  }

  /** Appends entries to one partition of the relationship log. */
  async lay(entries: readonly LogEntry[], partition = 0): Promise<void> {
    const records = entries.map((entry): OutgoingRecord => {
      return { ...this.input(partition), key: null, value: this.codecs.log.encode(entry) };
    });
    await this.log.append(records);
  }

  ports(changes: Partial<RelationshipPorts> = {}): RelationshipPorts {
    return {
      log: this.log,
      group: WORLD_GROUP,
      logCodec: this.codecs.log,
      generationCodec: this.codecs.generations,
      facts: this.codecs,
      factPartitions: { tierChanges: this.partitions, tiers: this.partitions },
      now: () => this.clock,
      store: this.store,
      storeDirectory: this.storeDirectory,
      snapshots: null,
      cachedStatesMax: 1_000,
      sink: this.sink,
      progress: null,
      ...changes,
    };
  }

  /** Folds what the log has, and leaves the store as an orderly end does. */
  async foldAll(): Promise<void> {
    const worker = this.worker();
    await feed(this.log, worker, this.input());
    await worker.revoked(this.input());
  }

  worker(
    changes: Partial<RelationshipPorts> = {},
    settings: Partial<RelationshipSettings> = {},
    observer: Partial<RelationshipObserver> = {},
  ): RelationshipWorker {
    return new RelationshipWorker(
      this.ports(changes),
      { ...DEFAULT_RELATIONSHIP_SETTINGS, drainMs: 0, ...settings },
      { ...SILENT_OBSERVER, ...observer },
    );
  }

  /** As a new process finds it: what was in memory is gone. */
  reopenStore(): void {
    this.store.close();
    this.store = LmdbStateStore.open({ path: this.dir.join('state') });
  }

  /** As on a machine that has never had the partition. */
  loseDisk(): void {
    this.store.close();
    rmSync(this.storeDirectory, { recursive: true });
    this.store = LmdbStateStore.open({ path: this.storeDirectory });
  }

  async end(topic: string, partition = 0): Promise<number> {
    return (await this.log.ends(topic)).find((one) => one.partition === partition)?.end ?? 0;
  }

  async entries(partition = 0): Promise<readonly LogEntry[]> {
    return (await this.values(TOPICS.relationshipLog, partition)).map((value) =>
      this.codecs.log.decode(value),
    );
  }

  /** All tier changes, partition by partition, in order. */
  async facts(): Promise<readonly TierChanged[]> {
    const all: TierChanged[] = [];
    for (let partition = 0; partition < this.partitions; partition += 1) {
      for (const value of await this.values(TOPICS.tierChanges, partition)) {
        all.push(this.codecs.tierChanged.decode(value));
      }
    }
    return all;
  }

  /** The newest snapshot of each key of `tiers`. */
  async tiers(): Promise<ReadonlyMap<string, TierSnapshot>> {
    const newest = new Map<string, TierSnapshot>();
    for (let partition = 0; partition < this.partitions; partition += 1) {
      for await (const batch of this.log.read({ topic: TOPICS.tiers, partition }, 0)) {
        for (const { key, value } of batch.records) {
          if (key !== null && value !== null) newest.set(key.toString(), this.codecs.tiers.decode(value));
        }
      }
    }
    return newest;
  }

  async values(topic: string, partition = 0): Promise<Buffer[]> {
    const values: Buffer[] = [];
    for await (const batch of this.log.read({ topic, partition }, 0)) {
      for (const { value } of batch.records) if (value !== null) values.push(Buffer.from(value));
    }
    return values;
  }

  async close(): Promise<void> {
    this.store.close();
    await this.log.close();
    this.dir.remove();
  }
}

/** As if all that the log has had been published before. */
export async function commitAll(world: PipelineWorld): Promise<void> {
  const writer = await world.log.writer(WORLD_GROUP, world.input());
  const offset = await world.end(world.input().topic);
  await writer.commit({ records: [], positions: [{ ...world.input(), offset }] });
  await writer.close();
}

/** The records of a partition from `from` on, in batches of the sizes that `size` answers. */
export async function* batchesOf(
  log: Pick<Log, 'read' | 'ends'>,
  input: TopicPartition,
  from: number,
  size: () => number,
): AsyncGenerator<RecordBatch> {
  const end = (await log.ends(input.topic)).find(({ partition }) => partition === input.partition)?.end ?? 0;
  for (let at = from; at < end;) {
    const to = Math.min(end, at + Math.max(1, size()));
    const records = [];
    for await (const batch of log.read(input, at, to)) records.push(...batch.records);
    yield { ...input, records, nextOffset: to, endOffset: end };
    at = to;
  }
}

/** Assigns a partition to a handler and gives it all there is, as a consumer would. */
export async function feed(
  log: Pick<Log, 'read' | 'ends'>,
  handler: ConsumerHandler,
  input: TopicPartition,
  size: () => number = () => 5_000,
): Promise<void> {
  const from = (await handler.assigned(input, { lost: () => undefined })) ?? 0;
  await feedFrom(log, handler, input, from, size);
}

/** Gives a handler what lies behind `from`, and what comes while it works. */
export async function feedFrom(
  log: Pick<Log, 'read' | 'ends'>,
  handler: ConsumerHandler,
  input: TopicPartition,
  from: number,
  size: () => number = () => 5_000,
): Promise<number> {
  let position = from;
  for (let isNews = true; isNews;) {
    isNews = false;
    for await (const batch of batchesOf(log, input, position, size)) {
      await handler.batch(batch, PATIENT);
      position = batch.nextOffset;
      isNews = true;
    }
  }
  return position;
}
