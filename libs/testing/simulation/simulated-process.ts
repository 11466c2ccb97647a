import type { Codecs } from '#contracts';
import {
  ARCHIVED_TOPICS,
  ArchiveWorker,
  initialiseLog,
  IntakeProgressView,
  IntakeWorker,
  RegistryUnavailableError,
  RelationshipWorker,
  type ConsumerHandler,
  type RelationshipSettings,
  type SourceCodec,
} from '#pipeline';
import { DEFAULT_ADMISSION_LIMITS, type Rules } from '#domain';
import { SILENT_INTAKE, SILENT_OBSERVER } from '../pipeline-world.js';
import { Life, UnavailableError } from './life.js';
import { SimulatedStateStore, type SimulatedDisk } from './simulated-disk.js';
import { SimulatedLog, type LogParts } from './simulated-log.js';
import { SimulatedSnapshots, type SimulatedPlace } from './simulated-snapshots.js';
import { SimulatedArchiveSink, SimulatedFigureSink, type SimulatedTables } from './simulated-tables.js';
import type { SimulatedConsumer } from './simulated-consumer.js';

/** So few that a snapshot takes the place of a store now and then. */
const SNAPSHOT_LEAD = 12;

export type Role = 'intake' | 'relationship' | 'archive';

/** What the processes of one run share. */
export interface WorldParts extends Omit<LogParts, 'life'> {
  readonly tables: SimulatedTables;
  readonly codecs: Codecs;
  readonly sourceTopics: readonly string[];
  readonly partitions: {
    readonly relationshipLog: number;
    readonly tierChanges: number;
    readonly tiers: number;
    readonly intakeProgress: number;
    readonly deadLetters: number;
  };
  readonly rules: Rules;
  /** Null: there is no place for snapshots. */
  readonly snapshots: SimulatedPlace | null;
  readonly settings: RelationshipSettings;
  readonly cachedStatesMax: number;
  readonly batchRecordsMax: number;
}

/** One app on one machine: started, killed, paused, woken, started again. */
export class SimulatedProcess {
  life: Life;
  worker: RelationshipWorker | null = null;
  consumer: Pick<SimulatedConsumer, 'stop'> | null = null;
  #beat: (() => Promise<void>) | null = null;
  #isBeating = false;
  #starts = 0;
  /** The wall clock of the machine is off by this much, ms. */
  readonly #skewMs: number;

  constructor(
    readonly role: Role,
    readonly nth: number,
    readonly disk: SimulatedDisk,
    private readonly parts: WorldParts,
  ) {
    this.life = new Life(`${role}${nth}`);
    this.life.isDead = true;
    this.#skewMs = parts.scheduler.random.between(-2_000, 2_000);
  }

  get isRunning(): boolean {
    return !this.life.isDead && !this.life.isPaused;
  }

  /** A maintenance round or heartbeat has not come back yet. */
  get isBeating(): boolean {
    return this.#isBeating;
  }

  start(): void {
    this.#starts += 1;
    this.life = new Life(`${this.role}${this.nth}.${this.#starts}`);
    this.#beat = null;
    this.#isBeating = false;
    this.worker = null;
    this.consumer = null;
    const { life } = this;
    const { scheduler, onFailure } = this.parts;
    scheduler.post(life, `${life.name} starts`, () => {
      this.#boot(life).catch((error: unknown) => {
        onFailure(error, `${life.name} starting`);
        // As an app does that cannot start: it exits, and is started again.
        scheduler.kill(life);
      });
    });
  }

  /** What the app's timer asks for about once a second, never twice at a time. */
  beat(): void {
    const { life } = this;
    const beat = this.#beat;
    if (beat === null || this.#isBeating) return;
    this.#isBeating = true;
    this.parts.scheduler.post(life, `${life.name} beats`, () => {
      void beat()
        .catch((error: unknown) => this.parts.onFailure(error, `${life.name} beating`))
        .finally(() => {
          if (this.life === life) this.#isBeating = false;
        });
    });
  }

  async #boot(life: Life): Promise<void> {
    const log = new SimulatedLog({ ...this.parts, life });
    switch (this.role) {
      case 'intake':
        await this.#bootIntake(log, life);
        return;
      case 'relationship':
        await this.#bootRelationship(log, life);
        return;
      case 'archive':
        await this.#consume(log, 'archive', ARCHIVED_TOPICS, this.#archive(log, life));
    }
  }

  async #bootIntake(log: SimulatedLog, life: Life): Promise<void> {
    const { codecs, partitions, rules, sourceTopics } = this.parts;
    const newLogId = `log-of-${life.name}`;
    await initialiseLog(log, codecs.log, { newLogId, now: this.#clock, rules });
    const worker = new IntakeWorker(
      {
        log,
        group: 'intake',
        sourceCodec: this.#sourceCodec(life),
        logCodec: codecs.log,
        progressCodec: codecs.intakeProgress,
        deadLetterCodec: codecs.deadLetter,
        pseudonymise: (_, event) => event,
        limits: DEFAULT_ADMISSION_LIMITS,
        partitions,
      },
      SILENT_INTAKE,
      this.#clock,
    );
    await this.#consume(log, 'intake', sourceTopics, worker);
    this.#beat = () => worker.heartbeat();
  }

  async #bootRelationship(log: SimulatedLog, life: Life): Promise<void> {
    const { scheduler, codecs, partitions, tables, settings, sourceTopics, onFailure, snapshots } =
      this.parts;
    const progress = new IntakeProgressView(log, codecs.intakeProgress, sourceTopics, (error) =>
      onFailure(error, `${life.name} progress`),
    );
    await progress.start();
    const worker = new RelationshipWorker(
      {
        log,
        group: 'relationship',
        logCodec: codecs.log,
        generationCodec: codecs.generations,
        facts: codecs,
        factPartitions: partitions,
        now: this.#clock,
        store: new SimulatedStateStore(this.disk, scheduler, life, snapshots !== null),
        storeDirectory: 'disk',
        snapshots: snapshots === null ? null : new SimulatedSnapshots(snapshots, scheduler, life),
        snapshotLeadMin: SNAPSHOT_LEAD,
        cachedStatesMax: this.parts.cachedStatesMax,
        sink: new SimulatedFigureSink(tables, scheduler, life),
        progress,
      },
      snapshots === null
        ? settings
        : { ...settings, snapshotIntervalMs: snapshots.intervalMs, snapshotsKept: snapshots.keep },
      SILENT_OBSERVER,
    );
    this.worker = worker;
    await this.#consume(log, 'relationship', ['relationship-log'], worker);
    this.#beat = () => worker.maintainAll();
  }

  #archive(log: SimulatedLog, life: Life): ArchiveWorker {
    const { codecs, tables, scheduler } = this.parts;
    return new ArchiveWorker(
      {
        log,
        group: 'archive',
        sink: new SimulatedArchiveSink(tables, scheduler, life),
        logCodec: codecs.log,
        tierChangedCodec: codecs.tierChanged,
        deadLetterCodec: codecs.deadLetter,
        now: this.#clock,
      },
      { batch: () => undefined, waiting: () => undefined },
    );
  }

  async #consume(
    log: SimulatedLog,
    group: string,
    topics: readonly string[],
    handler: ConsumerHandler,
  ): Promise<void> {
    const { batchRecordsMax } = this.parts;
    const consumer = log.consumer({ group, topics, batchRecordsMax });
    this.consumer = consumer;
    await consumer.start(handler);
  }

  /** The registry is asked before every batch, and is away now and then. */
  #sourceCodec(life: Life): SourceCodec {
    const { codecs, scheduler } = this.parts;
    return {
      prepare: async (values) => {
        try {
          await scheduler.call(life, 'registry', 'registry', () => undefined);
        } catch (error) {
          if (!(error instanceof UnavailableError)) throw error;
          throw new RegistryUnavailableError('away', { cause: error });
        }
        await codecs.source.prepare(values);
      },
      decode: (topic, value) => codecs.source.decode(topic, value),
    };
  }

  readonly #clock = (): number => this.parts.scheduler.now + this.#skewMs;
}
