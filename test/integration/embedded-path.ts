/** Intake, fold and archive as consumers of one embedded log, into an embedded ClickHouse, at a clock moved by hand. */
import { ClickHouseArchiveSink, ClickHouseFigureSink, type ClickHouse } from '#clickhouse';
import { Pseudonymiser, SOURCE_TOPICS } from '#contracts';
import { DEFAULT_ADMISSION_LIMITS, type Rules, type SourceTouchpoint } from '#domain';
import {
  ARCHIVED_TOPICS,
  ArchiveWorker,
  initialiseLog,
  IntakeProgressView,
  IntakeWorker,
  TOPICS,
  type LogConsumer,
  type RelationshipWorker,
} from '#pipeline';
import { eventually, PipelineWorld, SILENT_INTAKE, WORLD_GROUP } from '#testing';

const SOURCES = Object.values(SOURCE_TOPICS);
const INTAKE = 'intake';
const ARCHIVE = 'archive';
const PARTITIONS = 2;

export class EmbeddedPath {
  readonly failures: Error[] = [];

  private constructor(
    readonly world: PipelineWorld,
    private readonly clockOf: { now: number },
    private readonly intake: IntakeWorker,
    private readonly folding: RelationshipWorker,
    private readonly progress: IntakeProgressView,
    private readonly consumers: readonly LogConsumer[],
  ) {}

  /** @param start   where the clock stands, ms */
  static async start(clickhouse: ClickHouse, rules: Rules, start: number): Promise<EmbeddedPath> {
    const clock = { now: start };
    const world = await PipelineWorld.open(PARTITIONS, () => clock.now);
    const { log, codecs } = world;
    await initialiseLog(log, codecs.log, { newLogId: 'embedded-path', now: () => clock.now, rules });
    const progress = new IntakeProgressView(log, codecs.intakeProgress, SOURCES, (error) => {
      throw error;
    });
    await progress.start();
    const pseudonymiser = new Pseudonymiser(Buffer.alloc(32, 7));
    const intake = new IntakeWorker(
      {
        log,
        group: INTAKE,
        sourceCodec: codecs.source,
        logCodec: codecs.log,
        progressCodec: codecs.intakeProgress,
        deadLetterCodec: codecs.deadLetter,
        pseudonymise: (_, event) => pseudonymiser.apply(event),
        limits: DEFAULT_ADMISSION_LIMITS,
        partitions: { relationshipLog: PARTITIONS, intakeProgress: 1, deadLetters: 1 },
      },
      SILENT_INTAKE,
      () => clock.now,
    );
    const folding = world.worker(
      { progress, sink: new ClickHouseFigureSink(clickhouse), now: () => clock.now },
      { flushIntervalMs: 0, correctionIntervalMs: 0, drainMs: 0 },
    );
    const archive = new ArchiveWorker(
      {
        log,
        group: ARCHIVE,
        sink: new ClickHouseArchiveSink(clickhouse),
        logCodec: codecs.log,
        tierChangedCodec: codecs.tierChanged,
        deadLetterCodec: codecs.deadLetter,
        now: () => clock.now,
      },
      { batch: () => undefined, waiting: () => undefined },
    );
    const consumerOf = (group: string, topics: readonly string[]) =>
      log.consumer({ group, topics, batchRecordsMax: 50 });
    const consumers = [
      consumerOf(INTAKE, SOURCES),
      consumerOf(WORLD_GROUP, [TOPICS.relationshipLog]),
      consumerOf(ARCHIVE, ARCHIVED_TOPICS),
    ];
    await consumers[0]?.start(intake);
    await consumers[1]?.start(folding);
    await consumers[2]?.start(archive);
    return new EmbeddedPath(world, clock, intake, folding, progress, consumers);
  }

  get now(): number {
    return this.clockOf.now;
  }

  /** Appends one record to a source topic and answers its offset. */
  async sendBytes(topic: string, value: Buffer | null, key: string | null = null): Promise<number> {
    const offset = await this.world.end(topic);
    await this.world.log.append([{ topic, partition: 0, key, value }]);
    return offset;
  }

  async send(event: SourceTouchpoint): Promise<void> {
    await this.sendBytes(SOURCE_TOPICS[event.type], this.world.codecs.sourceEncoder.encode(event));
  }

  /** Lets time pass: everything is read, then intake says so, then the ticks come and are folded. */
  async pass(ms: number): Promise<void> {
    await this.settle();
    this.clockOf.now += ms;
    await this.intake.heartbeat();
    const since = this.now;
    this.clockOf.now += 1;
    await this.intake.heartbeat();
    await eventually(() => {
      if ((this.progress.readTo() ?? 0) < since)
        throw new Error(`intake has read to ${this.progress.readTo()}`);
    });
    await this.folding.maintainAll();
    await this.settle();
  }

  /** Until every group has read everything and every row is stored. */
  async settle(): Promise<void> {
    await eventually(async () => {
      for (const { crashed } of this.consumers.map((consumer) => consumer.health()))
        if (crashed) throw crashed;
      await this.assertRead(INTAKE, SOURCES);
      await this.assertRead(WORLD_GROUP, [TOPICS.relationshipLog]);
      await this.assertRead(ARCHIVE, ARCHIVED_TOPICS);
    });
  }

  /** The last changes become rows, and all rows are stored. @returns the watermark, ms */
  async flush(): Promise<number> {
    for (const state of this.folding.states()) state.flush(true);
    await eventually(async () => {
      await this.folding.maintainAll();
      for (const { outbox } of this.folding.states()) {
        if (outbox.size > 0) throw new Error(`${outbox.size} rows wait`);
      }
    });
    return Math.min(...this.folding.states().map(({ frame }) => frame.watermark));
  }

  async stop(): Promise<void> {
    for (const consumer of this.consumers) await consumer.stop();
    await this.progress.stop();
    await this.world.close();
  }

  private async assertRead(group: string, topics: readonly string[]): Promise<void> {
    for (const topic of topics) {
      for (const { partition, end } of await this.world.log.ends(topic)) {
        const committed = (await this.world.log.committed(group, { topic, partition })) ?? 0;
        if (committed < end)
          throw new Error(`${group} has read ${topic}-${partition} to ${committed} of ${end}`);
      }
    }
  }
}
