import {
  admit,
  faultOf,
  personKey,
  type AdmissionLimits,
  type RejectReason,
  type SourcePosition,
  type SourceTouchpoint,
} from '#domain';
import { type DeadLetterCodec, type IntakeProgressCodec, type LogCodec, type SourceCodec } from './codecs.js';
import { commitTransaction } from './commit-transaction.js';
import {
  type Log,
  type LogRecord,
  type OutgoingRecord,
  type RecordBatch,
  type TransactionalWriter,
} from './log.js';
import { partitionOf } from './partition.js';
import { TOPICS } from './topics.js';

export interface IntakePorts {
  readonly log: Log;
  readonly group: string;
  readonly writer: TransactionalWriter;
  readonly sourceCodec: SourceCodec;
  readonly logCodec: LogCodec;
  readonly progressCodec: IntakeProgressCodec;
  readonly deadLetterCodec: DeadLetterCodec;
  /** Replaces the person ids of an event by pseudonyms; leaves it alone where the source has done it. */
  readonly pseudonymise: (topic: string, event: SourceTouchpoint) => SourceTouchpoint;
  readonly limits: AdmissionLimits;
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

type Judged =
  | { readonly ok: true; readonly record: OutgoingRecord; readonly at: number }
  | { readonly ok: false; readonly record: OutgoingRecord; readonly reason: RejectReason };

/**
 * A batch of a source topic: each record becomes an entry of the relationship log or a dead letter, in one
 * transaction with the position and the progress.
 *
 * @param eventToBefore   the largest event time that was admitted from this partition before, ms
 * @throws RegistryUnavailableError   nothing was judged; offer the batch again
 * @throws OwnershipLostError
 */
export async function intakeBatch(
  batch: RecordBatch,
  ports: IntakePorts,
  now: () => number,
  eventToBefore: number | null = null,
): Promise<IntakeReport> {
  const received = now();
  await ports.sourceCodec.prepare(batch.records.map(({ value }) => value));
  const judged = batch.records.map((record) => judge(batch, record, ports));

  const rejected = new Map<RejectReason, number>();
  let eventTo = eventToBefore;
  for (const one of judged) {
    if (one.ok) eventTo = Math.max(one.at, eventTo ?? one.at);
    else rejected.set(one.reason, (rejected.get(one.reason) ?? 0) + 1);
  }
  const readTo = batch.records.at(-1)?.timestamp ?? null;

  const started = now();
  const records = judged.map(({ record }) => record);
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
    accepted: judged.length - refused,
    rejected,
    readTo,
    eventTo,
    judgeMs: started - received,
    commitMs: now() - started,
  };
}

function judge(batch: RecordBatch, record: LogRecord, ports: IntakePorts): Judged {
  const source = { topic: batch.topic, partition: batch.partition, offset: record.offset };
  const decoded = ports.sourceCodec.decode(batch.topic, record.value);
  if (!decoded.ok) return rejection(source, record, decoded.reject.reason, decoded.reject.detail, ports);
  const event = ports.pseudonymise(batch.topic, decoded.event);
  // A pseudonym is always well-formed, whatever it was made of: the ids are judged as they came.
  const fault = event === decoded.event ? null : faultOf(decoded.event, ports.limits);
  if (fault !== null) return rejection(source, record, fault.reason, fault.detail, ports);
  const admission = admit(event, { ...source, arrivedAt: record.timestamp }, ports.limits);
  if (!admission.ok) return rejection(source, record, admission.reason, admission.detail, ports);
  const { touchpoint, detail } = admission;
  const key = personKey(touchpoint.brand, touchpoint.person);
  return {
    ok: true,
    at: touchpoint.at,
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
  record: LogRecord,
  reason: RejectReason,
  detail: string,
  ports: IntakePorts,
): Judged {
  const { key, value } = record;
  const letter = ports.deadLetterCodec.encode({
    source,
    arrivedAt: record.timestamp,
    reason,
    detail,
    key,
    value,
  });
  const partition = partitionOf(letter.key, ports.partitions.deadLetters);
  return { ok: false, reason, record: { topic: TOPICS.deadLetters, partition, ...letter } };
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
