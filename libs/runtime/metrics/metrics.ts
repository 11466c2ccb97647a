import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { SnapshotFigures } from './snapshot-figures.js';

/** What an app knows about a batch once it is done. */
export interface BatchObservation {
  readonly topic: string;
  readonly partition: number;
  readonly records: number;
  readonly durationMs: number;
  /** Records still to be read behind this batch. */
  readonly lagRecords: number;
  /** Append time of the last record of the batch, ms; null if it had none. */
  readonly lastRecordAt: number | null;
  /** Parts of the duration, such as `fold` and `commit`, ms. */
  readonly stagesMs?: Readonly<Record<string, number>>;
}

/** How many figures of one kind were held against a recount, and how many differed. */
export interface ReconciledFigures {
  readonly brand: string;
  readonly what: string;
  readonly compared: number;
  readonly differ: number;
}

/** What a source topic holds back while it is stopped. */
export interface HeldRecords {
  readonly topic: string;
  readonly records: number;
}

export type TransactionOutcome = 'committed' | 'aborted' | 'unknown' | 'ownership_lost';

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

interface PartitionLag {
  readonly service: string;
  readonly topic: string;
  readonly partition: number;
  lagRecords: number;
  lastRecordAt: number | null;
}

/** The figures of a process for Prometheus; each app in it counts under its own `service`. */
export class Metrics {
  readonly registry = new Registry();
  private readonly lags = new Map<string, PartitionLag>();
  private readonly watermarks = new Map<string, { service: string; partition: number; at: number }>();
  private readonly recordsIn = this.counter('gravity_records_in_total', 'Records read', ['topic']);
  private readonly recordsOut = this.counter('gravity_records_out_total', 'Records written', ['topic']);
  private readonly rejects = this.counter('gravity_rejects_total', 'Records that are not events, by reason', [
    'topic',
    'reason',
  ]);
  private readonly transactions = this.counter('gravity_transactions_total', 'Transactions on the log', [
    'outcome',
  ]);
  private readonly sinkRows = this.counter('gravity_sink_rows_total', 'Rows stored by a sink', ['sink']);
  private readonly sinkFailures = this.counter(
    'gravity_sink_failures_total',
    'Writes to a sink that failed',
    ['sink'],
  );
  private readonly batchSeconds = this.histogram('gravity_batch_duration_seconds', 'A batch, start to end', [
    'topic',
  ]);
  private readonly stageSeconds = this.histogram('gravity_stage_duration_seconds', 'One stage of a batch', [
    'stage',
  ]);
  private readonly sinkSeconds = this.histogram('gravity_sink_duration_seconds', 'One write to a sink', [
    'sink',
  ]);
  private readonly reconciledFigures = this.gauge(
    'gravity_reconcile_compared_figures',
    'Live figures that the newest reconciliation held against the raw facts',
    ['brand', 'what'],
  );
  private readonly drift = this.gauge(
    'gravity_reconcile_drift_figures',
    'Live figures that differed from the raw facts in the newest reconciliation',
    ['brand', 'what'],
  );
  private readonly reconciledAt = this.gauge(
    'gravity_reconcile_timestamp_seconds',
    'When the newest reconciliation began',
    [],
  );
  private readonly reconcileSeconds = this.gauge(
    'gravity_reconcile_duration_seconds',
    'How long the newest reconciliation took',
    [],
  );
  private readonly outboxEntries = this.gauge(
    'gravity_outbox_entries',
    'Rows that a sink has not acknowledged',
    ['partition'],
  );

  private readonly snapshots = new SnapshotFigures(this.registry, () => this.now());
  private readonly held = new Map<string, () => readonly HeldRecords[]>();

  constructor(private readonly now: () => number = Date.now) {
    this.lagGauges();
    this.watermarkGauge();
    this.heldGauge();
  }

  /** Also publishes memory, CPU and event-loop figures of the process; once a process. */
  collectProcess(): void {
    collectDefaultMetrics({ register: this.registry });
  }

  service(service: string): ServiceMetrics {
    const lagKey = (topic: string, partition: number) => `${service}/${topic}/${partition}`;
    return {
      batch: (seen) => {
        this.recordsIn.inc({ service, topic: seen.topic }, seen.records);
        this.batchSeconds.observe({ service, topic: seen.topic }, seen.durationMs / 1_000);
        for (const [stage, ms] of Object.entries(seen.stagesMs ?? {})) {
          this.stageSeconds.observe({ service, stage }, ms / 1_000);
        }
        const { topic, partition, lagRecords, lastRecordAt } = seen;
        this.lags.set(lagKey(topic, partition), { service, topic, partition, lagRecords, lastRecordAt });
      },
      recordsOut: (topic, records) => this.recordsOut.inc({ service, topic }, records),
      reject: (topic, reason, records = 1) => this.rejects.inc({ service, topic, reason }, records),
      transaction: (outcome) => this.transactions.inc({ service, outcome }),
      sink: (sink, rows, durationMs) => {
        this.sinkRows.inc({ service, sink }, rows);
        this.sinkSeconds.observe({ service, sink }, durationMs / 1_000);
      },
      sinkFailed: (sink) => this.sinkFailures.inc({ service, sink }),
      watermark: (partition, at) => {
        this.watermarks.set(`${service}/${partition}`, { service, partition, at });
      },
      held: (probe) => this.held.set(service, probe),
      outbox: (partition, entries) => this.outboxEntries.set({ service, partition }, entries),
      reconciled: (at, durationMs, comparisons) => {
        this.reconciledAt.set({ service }, at / 1_000);
        this.reconcileSeconds.set({ service }, durationMs / 1_000);
        for (const { brand, what, compared, differ } of comparisons) {
          this.reconciledFigures.set({ service, brand, what }, compared);
          this.drift.set({ service, brand, what }, differ);
        }
      },
      snapshot: (partition, takenAt, bytes, durationMs) =>
        this.snapshots.taken({ service, partition }, takenAt, bytes, durationMs),
      snapshotFailed: (partition) => this.snapshots.failed({ service, partition }),
      forget: (topic, partition) => {
        this.snapshots.forget({ service, partition });
        this.lags.delete(lagKey(topic, partition));
        this.watermarks.delete(`${service}/${partition}`);
        this.outboxEntries.remove({ service, partition });
      },
    };
  }

  /** The text that Prometheus scrapes. */
  async render(): Promise<{ readonly contentType: string; readonly body: string }> {
    return { contentType: this.registry.contentType, body: await this.registry.metrics() };
  }

  /** Ages are worked out when asked for, so that they go on growing when nothing comes through any more. */
  private lagGauges(): void {
    const { lags, now } = this;
    const labelNames = ['service', 'topic', 'partition'];
    const registers = [this.registry];
    new Gauge({
      name: 'gravity_lag_records',
      help: 'Records of a partition still to be read, as of its last batch',
      labelNames,
      registers,
      collect() {
        this.reset();
        for (const { service, topic, partition, lagRecords } of lags.values()) {
          this.set({ service, topic, partition }, lagRecords);
        }
      },
    });
    new Gauge({
      name: 'gravity_lag_seconds',
      help: 'Age of the last record read of a partition while more wait behind it; 0 at the end',
      labelNames,
      registers,
      collect() {
        this.reset();
        for (const { service, topic, partition, lagRecords, lastRecordAt } of lags.values()) {
          const ageMs = lagRecords === 0 || lastRecordAt === null ? 0 : Math.max(0, now() - lastRecordAt);
          this.set({ service, topic, partition }, ageMs / 1_000);
        }
      },
    });
  }

  private watermarkGauge(): void {
    const { watermarks, now } = this;
    new Gauge({
      name: 'gravity_watermark_age_seconds',
      help: 'How far the event time of a partition is behind the clock',
      labelNames: ['service', 'partition'],
      registers: [this.registry],
      collect() {
        this.reset();
        for (const { service, partition, at } of watermarks.values()) {
          this.set({ service, partition }, (now() - at) / 1_000);
        }
      },
    });
  }

  private heldGauge(): void {
    const { held } = this;
    new Gauge({
      name: 'gravity_held_records',
      help: 'Records of a stopped source topic that are judged and not written; 0 while it is not stopped',
      labelNames: ['service', 'topic'],
      registers: [this.registry],
      collect() {
        this.reset();
        for (const [service, probe] of held) {
          for (const { topic, records } of probe()) this.set({ service, topic }, records);
        }
      },
    });
  }

  private counter(name: string, help: string, labels: readonly string[]): Counter {
    return new Counter({ name, help, labelNames: ['service', ...labels], registers: [this.registry] });
  }

  private gauge(name: string, help: string, labels: readonly string[]): Gauge {
    return new Gauge({ name, help, labelNames: ['service', ...labels], registers: [this.registry] });
  }

  private histogram(name: string, help: string, labels: readonly string[]): Histogram {
    const labelNames = ['service', ...labels];
    return new Histogram({ name, help, labelNames, buckets: SECONDS, registers: [this.registry] });
  }
}

/** The figures of one app, to be counted from the reports that the pipeline returns. */
export interface ServiceMetrics {
  batch(seen: BatchObservation): void;
  recordsOut(topic: string, records: number): void;
  reject(topic: string, reason: string, records?: number): void;
  transaction(outcome: TransactionOutcome): void;
  sink(sink: string, rows: number, durationMs: number): void;
  sinkFailed(sink: string): void;
  /** @param at  event time up to which the partition has come, ms */
  watermark(partition: number, at: number): void;
  outbox(partition: number, entries: number): void;
  /** A run of the reconciliation. @param at   when it began, ms */
  reconciled(at: number, durationMs: number, comparisons: readonly ReconciledFigures[]): void;
  /** @param probe  asked at each scrape, for every source topic */
  held(probe: () => readonly HeldRecords[]): void;
  /**
   * The newest snapshot of a partition.
   * @param takenAt      ms
   * @param durationMs   how long it took, where it was taken here
   */
  snapshot(partition: number, takenAt: number, bytes: number, durationMs?: number): void;
  snapshotFailed(partition: number): void;
  /** Drops the gauges of a partition that has left this process. */
  forget(topic: string, partition: number): void;
}
