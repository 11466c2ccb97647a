import type { TierChanged, Touchpoint, TouchpointDetail } from '#domain';
import {
  LogCorruptError,
  type DeadLetterCodec,
  type LogCodec,
  type StoredDeadLetter,
  type TierChangedCodec,
} from './codecs.js';
import { commitTransaction } from './commit-transaction.js';
import { firstEpoch } from './log-identity.js';
import {
  OwnershipLostError,
  type BatchControl,
  type ConsumerHandler,
  type Log,
  type RecordBatch,
  type TopicPartition,
  type TransactionalWriter,
} from './log.js';
import { asError } from './thrown.js';
import { TOPICS } from './topics.js';
import { backoffMs, waitWithHeartbeat } from './wait-with-heartbeat.js';

/** An accepted touchpoint with everything it said, and its place in the log. */
export interface RawFact {
  readonly touchpoint: Touchpoint;
  readonly detail: TouchpointDetail | null;
  readonly partition: number;
  readonly offset: number;
  /** epoch × 2^48 + offset. */
  readonly version: bigint;
}

/**
 * Where the archive writes. Each call resolves once the rows are stored; writing a row again changes nothing. Rows are
 * decoded as they are asked for, and rejections of that (`LogCorruptError`) come through.
 */
export interface ArchiveSink {
  writeFacts(facts: Iterable<RawFact>): Promise<void>;
  writeTierChanges(changes: Iterable<TierChanged>): Promise<void>;
  writeDeadLetters(letters: Iterable<StoredDeadLetter>): Promise<void>;
}

export interface ArchivePorts {
  readonly log: Log;
  readonly group: string;
  readonly sink: ArchiveSink;
  readonly logCodec: LogCodec;
  readonly tierChangedCodec: TierChangedCodec;
  readonly deadLetterCodec: DeadLetterCodec;
  readonly now: () => number;
}

export interface ArchiveReport {
  readonly records: number;
  readonly rows: number;
  /** Append time of the last record, ms; null for a batch without records. */
  readonly lastRecordAt: number | null;
  readonly sinkMs: number;
}

/** Told what happens, for metrics, readiness and logs. */
export interface ArchiveObserver {
  batch(input: TopicPartition, report: ArchiveReport, lag: number): void;
  /** The sink refused; the same rows are sent again after a pause. */
  waiting(input: TopicPartition, error: Error, attempt: number): void;
}

interface OwnedTopic {
  readonly input: TopicPartition;
  readonly writer: TransactionalWriter;
  position: number;
  epoch: bigint;
}

const EPOCH_FACTOR = 2n ** 48n;

/** Copies the log, the tier changes and the dead letters into tables: acknowledged before a position is committed. */
export class ArchiveWorker implements ConsumerHandler {
  readonly #owned = new Map<string, OwnedTopic>();

  constructor(
    private readonly ports: ArchivePorts,
    private readonly observer: ArchiveObserver,
  ) {}

  async assigned(input: TopicPartition): Promise<number> {
    await this.#discard(input);
    const { log, group, logCodec } = this.ports;
    const writer = await log.writer(group, input);
    try {
      const position = (await log.committed(group, input)) ?? 0;
      const first = input.topic === TOPICS.relationshipLog ? await firstEpoch(log, logCodec, input) : null;
      this.#owned.set(name(input), { input, writer, position, epoch: BigInt(first?.epoch ?? 1) });
      return position;
    } catch (error) {
      await writer.close();
      throw error;
    }
  }

  async batch(batch: RecordBatch, control: BatchControl): Promise<void> {
    const owned = this.#owned.get(name(batch));
    if (owned === undefined) throw new OwnershipLostError(`${name(batch)} is not assigned here`);
    // Offered again after it was stored: nothing to do, and the committed position must not go back.
    if (batch.nextOffset <= owned.position) return;
    const records = batch.records.filter(({ offset }) => offset >= owned.position);
    const write = this.#writeOf(owned, { ...batch, records });

    const started = this.ports.now();
    await this.#store(owned.input, write.run, control);
    const sinkMs = this.ports.now() - started;
    try {
      const position = { topic: batch.topic, partition: batch.partition, offset: batch.nextOffset };
      await commitTransaction(this.ports.log, owned.writer, this.ports.group, [], position);
    } catch (error) {
      if (error instanceof OwnershipLostError) await this.#discard(batch);
      throw error;
    }
    owned.position = batch.nextOffset;
    const lastRecordAt = records.at(-1)?.timestamp ?? null;
    const report = { records: records.length, rows: write.rows(), lastRecordAt, sinkMs };
    this.observer.batch(owned.input, report, Math.max(0, batch.endOffset - batch.nextOffset));
    await control.heartbeat();
  }

  async revoked(input: TopicPartition): Promise<void> {
    await this.#discard(input);
  }

  /** Tries until the rows are stored, as long as the partition is ours. */
  async #store(input: TopicPartition, write: () => Promise<void>, control: BatchControl): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        await write();
        return;
      } catch (error) {
        // Waiting mends an absence, and no record.
        if (error instanceof LogCorruptError) throw error;
        const reason = asError(error);
        this.observer.waiting(input, reason, attempt);
        await waitWithHeartbeat(control, backoffMs(attempt));
        if (control.isStale()) throw error;
      }
    }
  }

  #writeOf(
    owned: OwnedTopic,
    batch: RecordBatch,
  ): { readonly rows: () => number; readonly run: () => Promise<void> } {
    const { sink, tierChangedCodec, deadLetterCodec } = this.ports;
    switch (batch.topic) {
      case TOPICS.relationshipLog: {
        const facts = new Decoded(() => this.#rawFacts(owned, batch));
        return { rows: () => facts.count, run: () => sink.writeFacts(facts) };
      }
      case TOPICS.tierChanges: {
        const changes = new Decoded(() => decodedValues(batch, (value) => tierChangedCodec.decode(value)));
        return { rows: () => changes.count, run: () => sink.writeTierChanges(changes) };
      }
      case TOPICS.deadLetters: {
        const letters = new Decoded(() => decodedValues(batch, (value) => deadLetterCodec.decode(value)));
        return { rows: () => letters.count, run: () => sink.writeDeadLetters(letters) };
      }
      default:
        throw new Error(`the archive does not know topic ${batch.topic}`);
    }
  }

  *#rawFacts(owned: OwnedTopic, batch: RecordBatch): Generator<RawFact> {
    let { epoch } = owned;
    for (const { offset, value } of batch.records) {
      const { entry, detail } = this.ports.logCodec.decodeDetailed(value);
      switch (entry.type) {
        case 'epochRaised':
          epoch = BigInt(entry.epoch);
          break;
        case 'tick':
        case 'rulesSet':
        case 'credit':
          break;
        default: {
          const version = epoch * EPOCH_FACTOR + BigInt(offset);
          yield { touchpoint: entry, detail, partition: batch.partition, offset, version };
        }
      }
    }
    // Only at the end: whoever has to begin again begins with the epoch of before.
    owned.epoch = epoch;
  }

  async #discard(input: TopicPartition): Promise<void> {
    const owned = this.#owned.get(name(input));
    if (owned === undefined) return;
    this.#owned.delete(name(input));
    await owned.writer.close();
  }
}

/** The topics that the archive reads. */
export const ARCHIVED_TOPICS = [TOPICS.relationshipLog, TOPICS.tierChanges, TOPICS.deadLetters] as const;

/**
 * Rows that are made when they are asked for, from the first one each time: decoded all at once, a large batch would
 * outlive several rounds of garbage collection while it waits to be stored.
 */
class Decoded<Row> implements Iterable<Row> {
  /** Of the last time. */
  count = 0;

  constructor(private readonly rows: () => Iterable<Row>) {}

  *[Symbol.iterator](): Generator<Row> {
    this.count = 0;
    for (const row of this.rows()) {
      this.count += 1;
      yield row;
    }
  }
}

function* decodedValues<Row>(batch: RecordBatch, decode: (value: Buffer) => Row): Generator<Row> {
  for (const { value } of batch.records) if (value !== null) yield decode(value);
}

function name({ topic, partition }: TopicPartition): string {
  return `${topic}-${partition}`;
}
