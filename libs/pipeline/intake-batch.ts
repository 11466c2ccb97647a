import {
  admit,
  faultOf,
  personKey,
  type AdmissionLimits,
  type RejectReason,
  type SourcePosition,
  type SourceTouchpoint,
  type Touchpoint,
} from '#domain';
import type { DeadLetterCodec, IntakeProgressCodec, LogCodec, SourceCodec } from './codecs.js';
import { commitTransaction } from './commit-transaction.js';
import type { Log, LogRecord, OutgoingRecord, RecordBatch, TransactionalWriter } from './log.js';
import { partitionOf } from './partition.js';
import { TOPICS } from './topics.js';

/** What one record is judged with. */
export interface JudgementPorts {
  readonly sourceCodec: SourceCodec;
  readonly logCodec: LogCodec;
  /** Replaces the person ids of an event by pseudonyms; leaves it alone where the source has done it. */
  readonly pseudonymise: (topic: string, event: SourceTouchpoint) => SourceTouchpoint;
  readonly limits: AdmissionLimits;
  readonly partitions: Pick<IntakePartitions, 'relationshipLog'>;
}

export interface IntakePorts extends JudgementPorts {
  readonly log: Log;
  readonly group: string;
  readonly writer: TransactionalWriter;
  readonly progressCodec: IntakeProgressCodec;
  readonly deadLetterCodec: DeadLetterCodec;
  readonly partitions: IntakePartitions;
}

/** Partition counts of the topics that intake writes to. */
export interface IntakePartitions {
  readonly relationshipLog: number;
  readonly intakeProgress: number;
  readonly deadLetters: number;
}

export interface IntakeReport {
  readonly records: number;
  readonly accepted: number;
  readonly rejected: ReadonlyMap<RejectReason, number>;
  /** Append time of the last record, ms; null for a batch without records. */
  readonly readTo: number | null;
  /** Largest event time admitted from this partition so far, ms. */
  readonly eventTo: number | null;
  readonly judgeMs: number;
  readonly commitMs: number;
}

/** An entry of the relationship log as it is to be written, or why there is none. */
export type Judgement =
  | { readonly ok: true; readonly record: OutgoingRecord; readonly touchpoint: Touchpoint }
  | { readonly ok: false; readonly reason: RejectReason; readonly detail: string };

/** A batch of a source topic whose records are entries of the log or dead letters, none of which is written yet. */
export interface JudgedBatch {
  readonly batch: RecordBatch;
  /** In the order of the batch. */
  readonly outgoing: readonly OutgoingRecord[];
  /** Of each record of the batch. */
  readonly isRejected: readonly boolean[];
  readonly rejected: ReadonlyMap<RejectReason, number>;
  /** Largest event time admitted from this partition so far, ms. */
  readonly eventTo: number | null;
  readonly judgeMs: number;
}

/**
 * @param eventToBefore   the largest event time that was admitted from this partition before, ms
 * @throws RegistryUnavailableError   nothing was judged; offer the batch again
 */
export async function judgeBatch(
  batch: RecordBatch,
  ports: IntakePorts,
  now: () => number,
  eventToBefore: number | null = null,
): Promise<JudgedBatch> {
  const received = now();
  await ports.sourceCodec.prepare(batch.records.map(({ value }) => value));
  const rejected = new Map<RejectReason, number>();
  const isRejected: boolean[] = [];
  let eventTo = eventToBefore;
  const outgoing = batch.records.map((record) => {
    const source = { topic: batch.topic, partition: batch.partition, offset: record.offset };
    const judgement = judge(source, record, ports);
    isRejected.push(!judgement.ok);
    if (!judgement.ok) {
      rejected.set(judgement.reason, (rejected.get(judgement.reason) ?? 0) + 1);
      return rejection(source, record, judgement, ports);
    }
    const { at } = judgement.touchpoint;
    eventTo = Math.max(at, eventTo ?? at);
    return judgement.record;
  });
  return { batch, outgoing, isRejected, rejected, eventTo, judgeMs: now() - received };
}

/**
 * What a batch has become is written in one transaction with the position and the progress.
 * @throws OwnershipLostError
 */
export async function commitBatch(
  judged: JudgedBatch,
  ports: IntakePorts,
  now: () => number,
): Promise<IntakeReport> {
  const { batch, rejected, eventTo, judgeMs } = judged;
  const readTo = batch.records.at(-1)?.timestamp ?? null;
  const started = now();
  const records = [...judged.outgoing];
  if (readTo !== null) {
    const progress = { nextOffset: batch.nextOffset, readTo, eventTo, caughtUp: false };
    records.push(progressRecord(batch, progress, ports));
  }
  await commitTransaction(ports.log, ports.writer, ports.group, records, {
    topic: batch.topic,
    partition: batch.partition,
    offset: batch.nextOffset,
  });
  const refused = [...rejected.values()].reduce((sum, count) => sum + count, 0);
  return {
    records: batch.records.length,
    accepted: batch.records.length - refused,
    rejected,
    readTo,
    eventTo,
    judgeMs,
    commitMs: now() - started,
  };
}

/** One record of a source topic whose schema id has been prepared. */
export function judge(
  source: SourcePosition,
  record: Pick<LogRecord, 'value' | 'timestamp'>,
  ports: JudgementPorts,
): Judgement {
  const decoded = ports.sourceCodec.decode(source.topic, record.value);
  if (!decoded.ok) return { ok: false, ...decoded.reject };
  const event = ports.pseudonymise(source.topic, decoded.event);
  // A pseudonym is always well-formed, whatever it was made of: the ids are judged as they came.
  const fault = event === decoded.event ? null : faultOf(decoded.event, ports.limits);
  if (fault !== null) return { ok: false, reason: fault.reason, detail: fault.detail };
  const admission = admit(event, { ...source, arrivedAt: record.timestamp }, ports.limits);
  if (!admission.ok) return admission;
  const { touchpoint, detail } = admission;
  const key = personKey(touchpoint.brand, touchpoint.person);
  return {
    ok: true,
    touchpoint,
    record: {
      topic: TOPICS.relationshipLog,
      partition: partitionOf(key, ports.partitions.relationshipLog),
      key,
      value: ports.logCodec.encode(touchpoint, { detail, source }),
    },
  };
}

function rejection(
  source: SourcePosition,
  { key, value, timestamp }: LogRecord,
  { reason, detail }: { readonly reason: RejectReason; readonly detail: string },
  ports: IntakePorts,
): OutgoingRecord {
  const letter = ports.deadLetterCodec.encode({ source, arrivedAt: timestamp, reason, detail, key, value });
  const partition = partitionOf(letter.key, ports.partitions.deadLetters);
  return { topic: TOPICS.deadLetters, partition, ...letter };
}

/** A statement of how far a source partition has been read. */
export function progressRecord(
  source: { readonly topic: string; readonly partition: number },
  progress: {
    readonly nextOffset: number;
    readonly readTo: number;
    readonly eventTo: number | null;
    readonly caughtUp: boolean;
  },
  ports: Pick<IntakePorts, 'progressCodec' | 'partitions'>,
): OutgoingRecord {
  const { topic, partition } = source;
  const encoded = ports.progressCodec.encode({ topic, partition, ...progress });
  const target = partitionOf(encoded.key, ports.partitions.intakeProgress);
  return { topic: TOPICS.intakeProgress, partition: target, ...encoded };
}
