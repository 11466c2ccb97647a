import { type BatchFold, type BatchResult, type LogEntry, type TierChanged } from '#domain';
import { type LogCodec, type TierChangedCodec, type TiersCodec } from './codecs.js';
import { commitTransaction } from './commit-transaction.js';
import {
  type Log,
  type LogRecord,
  type OutgoingRecord,
  type RecordBatch,
  type TransactionalWriter,
} from './log.js';
import { type PartitionState } from './partition-state.js';
import { partitionOf } from './partition.js';
import { TOPICS } from './topics.js';

/** What the path of a batch needs from outside. */
export interface BatchPorts {
  readonly log: Log;
  readonly group: string;
  readonly writer: TransactionalWriter;
  readonly logCodec: LogCodec;
  readonly facts: { readonly tierChanged: TierChangedCodec; readonly tiers: TiersCodec };
  /** Partitions of `tier-changes` and `tiers`. */
  readonly factPartitions: { readonly tierChanges: number; readonly tiers: number };
  /** Wall clock, ms. */
  readonly now: () => number;
}

/** What happened to a batch, for metrics and logs. */
export interface BatchReport {
  readonly records: number;
  readonly touchpoints: number;
  readonly late: number;
  readonly facts: number;
  /** Folded without publishing, because it had been published before a restart. */
  readonly muted: boolean;
  /** Append time of the last record, ms; null for a batch without records. */
  readonly lastRecordAt: number | null;
  readonly foldMs: number;
  readonly commitMs: number;
}

interface DecodedRecord {
  readonly offset: number;
  readonly entry: LogEntry;
}

/**
 * The whole journey of a batch of the relationship log.
 *
 * @throws LogCorruptError      an undecodable record of our own log: the partition must stop
 * @throws OwnershipLostError   another member owns the partition: discard its memory
 */
export async function processBatch(
  batch: RecordBatch,
  partition: PartitionState,
  ports: BatchPorts,
): Promise<BatchReport> {
  const records = partition.unseen(batch.records);
  const muted = batch.nextOffset <= partition.mutedTo;
  const decoded = decodeRecords(records, ports.logCodec);

  const started = ports.now();
  const result = foldRecords(decoded, partition.beginFold());
  const folded = ports.now();

  if (!muted) {
    const outgoing = [...factRecords(result.facts, ports), ...continuation(batch, result, ports)];
    await commitTransaction(ports.log, ports.writer, ports.group, outgoing, {
      topic: batch.topic,
      partition: batch.partition,
      offset: batch.nextOffset,
    });
  }
  const committed = ports.now();

  partition.join(result, batch.nextOffset, records.at(-1));
  return {
    records: records.length,
    touchpoints: result.counts.touchpoints,
    late: result.counts.late,
    facts: result.facts.length,
    muted,
    lastRecordAt: records.at(-1)?.timestamp ?? null,
    foldMs: folded - started,
    commitMs: committed - folded,
  };
}

function decodeRecords(records: readonly LogRecord[], codec: LogCodec): DecodedRecord[] {
  return records.map((record) => ({ offset: record.offset, entry: codec.decode(record.value) }));
}

function foldRecords(decoded: readonly DecodedRecord[], fold: BatchFold): BatchResult {
  for (const { entry, offset } of decoded) fold.apply(entry, offset);
  return fold.result();
}

/** Each fact goes to `tier-changes`; of each (brand, scheme, person) the last one goes to `tiers`. */
function factRecords(facts: readonly TierChanged[], ports: BatchPorts): OutgoingRecord[] {
  const changes: OutgoingRecord[] = [];
  const snapshots = new Map<string, OutgoingRecord>();
  for (const fact of facts) {
    const change = ports.facts.tierChanged.encode(fact);
    changes.push({
      topic: TOPICS.tierChanges,
      partition: partitionOf(change.key, ports.factPartitions.tierChanges),
      ...change,
    });
    const snapshot = ports.facts.tiers.encode({
      brand: fact.brand,
      person: fact.person,
      schemeId: fact.schemeId,
      periodId: fact.periodId,
      tier: fact.to,
      effectiveAt: fact.effectiveAt,
      detectedAt: fact.detectedAt,
      version: fact.version,
    });
    snapshots.set(snapshot.key, {
      topic: TOPICS.tiers,
      partition: partitionOf(snapshot.key, ports.factPartitions.tiers),
      ...snapshot,
    });
  }
  return [...changes, ...snapshots.values()];
}

/**
 * More persons were due than one tick may pop: another tick of the same time follows. Only at the end of the
 * log, since in the middle of it the ticks to come pop them too.
 */
function continuation(batch: RecordBatch, result: BatchResult, ports: BatchPorts): OutgoingRecord[] {
  if (!result.moreDue || batch.nextOffset < batch.endOffset) return [];
  return [tickRecord(batch, result.frame.watermark, ports)];
}

/** A tick for the partition of `input`, stamped with the clock of whoever writes it. */
export function tickRecord(
  input: { readonly topic: string; readonly partition: number },
  at: number,
  ports: Pick<BatchPorts, 'logCodec' | 'now'>,
): OutgoingRecord {
  const value = ports.logCodec.encode({ type: 'tick', at, arrivedAt: ports.now() });
  return { topic: input.topic, partition: input.partition, key: null, value };
}
