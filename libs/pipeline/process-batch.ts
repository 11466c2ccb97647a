import { compileRules, personKey, type BatchResult, type LogEntry, type TierChanged } from '#domain';
import type { LogCodec, TierChangedCodec, TiersCodec } from './codecs.js';
import { commitTransaction } from './commit-transaction.js';
import {
  OwnershipLostError,
  type Log,
  type LogRecord,
  type OutgoingRecord,
  type RecordBatch,
  type TransactionalWriter,
} from './log.js';
import type { PartitionState } from './partition-state.js';
import { partitionOf } from './partition.js';
import { WINDOW_ROWS_DUE_MAX } from './relationship-settings.js';
import { TOPICS } from './topics.js';

/** What the path of a batch needs from outside. */
export interface BatchPorts {
  readonly log: Log;
  readonly group: string;
  /** Null: nothing is published. */
  readonly writer: TransactionalWriter | null;
  /** Told of the facts of each batch, published or not, before it is joined. */
  readonly onFacts?: (facts: readonly TierChanged[]) => void;
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
  /** Another tick of the same time was appended for those who are still due. */
  readonly continued: boolean;
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
 * The whole journey of a batch of the relationship log. Where its ticks make very many persons due, or close very
 * many ends, it goes only a part of the way (`partition.position` says how far): call it again with the same batch.
 *
 * @param breathe   called between steps of a long fold
 * @throws LogCorruptError      an undecodable record of our own log: the partition must stop
 * @throws OwnershipLostError   another member owns the partition, or another generation begins: discard its memory
 */
export async function processBatch(
  batch: RecordBatch,
  partition: PartitionState,
  ports: BatchPorts,
  breathe: () => Promise<void> = () => Promise.resolve(),
): Promise<BatchReport> {
  const records = partition.unseen(batch.records);
  const { writer } = ports;
  const muted = writer === null || batch.nextOffset <= partition.mutedTo;
  const decoded = decodeRecords(records, ports.logCodec);
  assertGoesOn(decoded, partition);

  const started = ports.now();
  const { result, count } = await foldRecords(decoded, partition, ports.now, breathe);
  const folded = ports.now();

  const last = records[count - 1];
  const isWhole = count === records.length;
  const nextOffset = isWhole || last === undefined ? batch.nextOffset : last.offset + 1;
  const more = result.counts.ticks > 0 ? result.moreDue : partition.moreDue;
  // A batch that was folded before moves nothing, the committed position least of all.
  const isNew = nextOffset > partition.position;
  // Only at the end of the log, since in the middle of it the ticks to come look at those who are due.
  const continued = isNew && !muted && more && isWhole && nextOffset >= batch.endOffset;

  if (isNew && writer !== null && !muted) {
    const outgoing = factRecords(result.facts, ports);
    if (continued) outgoing.push(tickRecord(batch, result.frame.watermark, ports));
    const { topic, partition: number } = batch;
    const position = { topic, partition: number, offset: nextOffset };
    await commitTransaction(ports.log, writer, ports.group, outgoing, position);
  }
  const committed = ports.now();

  if (isNew) {
    ports.onFacts?.(result.facts);
    partition.join(result, nextOffset, last);
  }
  return {
    records: count,
    touchpoints: result.counts.touchpoints,
    late: result.counts.late,
    facts: result.facts.length,
    muted,
    continued,
    lastRecordAt: last?.timestamp ?? null,
    foldMs: folded - started,
    commitMs: committed - folded,
  };
}

function decodeRecords(records: readonly LogRecord[], codec: LogCodec): DecodedRecord[] {
  return records.map((record) => ({ offset: record.offset, entry: codec.decode(record.value) }));
}

/** Where a rebuild has begun a generation, a state of the one before must not go on: it was never compared with it. */
function assertGoesOn(decoded: readonly DecodedRecord[], { frame, partition }: PartitionState): void {
  if (frame.logId === null) return;
  for (const { entry, offset } of decoded) {
    if (entry.type !== 'epochRaised' || entry.generation <= frame.generation) continue;
    throw new OwnershipLostError(
      `generation ${entry.generation} of partition ${partition} begins at offset ${offset}; this state is of generation ${frame.generation}`,
    );
  }
}

/** Records between two looks at the clock, and how long the fold may hold the event loop, ms. */
const RECORDS_PER_LOOK = 256;
const BREATH_MS = 20;

/**
 * A fold ends when it has looked at as many due persons as one tick may, or has closed very many ends: no fold, no
 * send and no transaction grows with a midnight, nor a flush with a standstill, however many ticks stand in a row.
 */
async function foldRecords(
  decoded: readonly DecodedRecord[],
  partition: PartitionState,
  now: () => number,
  breathe: () => Promise<void>,
): Promise<{ readonly result: BatchResult; readonly count: number }> {
  const fold = partition.beginFold();
  let count = 0;
  let breathedAt = now();
  for (const { entry, offset } of decoded) {
    fold.apply(entry, offset);
    count += 1;
    if (entry.type === 'tick') {
      const { counts, frame } = fold.result();
      if (counts.duePersons >= compileRules(frame.rules).rules.duesPerTick) break;
      if (partition.windowRowsDue(frame.watermark) >= WINDOW_ROWS_DUE_MAX) break;
    } else if (count % RECORDS_PER_LOOK !== 0) continue;
    if (now() - breathedAt < BREATH_MS) continue;
    await breathe();
    breathedAt = now();
  }
  return { result: fold.result(), count };
}

/**
 * Each fact goes to `tier-changes`; of each (brand, scheme, person) the last one goes to `tiers`. Both are put by the
 * person, not by their keys: every partition more in a transaction is a marker more that readers wait for (ADR 10).
 */
export function factRecords(
  facts: readonly TierChanged[],
  ports: Pick<BatchPorts, 'facts' | 'factPartitions'>,
): OutgoingRecord[] {
  const { tierChanged, tiers } = ports.facts;
  const { factPartitions } = ports;
  const records: OutgoingRecord[] = [];
  for (const fact of facts) {
    const { key, value } = tierChanged.encode(fact);
    const partition = partitionOf(personKey(fact.brand, fact.person), factPartitions.tierChanges);
    records.push({ topic: TOPICS.tierChanges, partition, key, value });
  }
  for (const fact of lastOfEach(facts)) {
    const { key, value } = tiers.encode({
      brand: fact.brand,
      person: fact.person,
      schemeId: fact.schemeId,
      periodId: fact.periodId,
      tier: fact.to,
      effectiveAt: fact.effectiveAt,
      detectedAt: fact.detectedAt,
      version: fact.version,
    });
    const partition = partitionOf(personKey(fact.brand, fact.person), factPartitions.tiers);
    records.push({ topic: TOPICS.tiers, partition, key, value });
  }
  return records;
}

/** The last fact of each (brand, scheme, person), in the order of these. */
function lastOfEach(facts: readonly TierChanged[]): readonly TierChanged[] {
  const seen = new Map<string, Map<string, Set<string>>>();
  const last: TierChanged[] = [];
  for (let i = facts.length - 1; i >= 0; i--) {
    const fact = facts[i];
    if (fact === undefined) continue;
    const { brand, schemeId, person } = fact;
    const schemes = seen.get(brand) ?? new Map<string, Set<string>>();
    seen.set(brand, schemes);
    const persons = schemes.get(schemeId) ?? new Set<string>();
    schemes.set(schemeId, persons);
    if (persons.has(person)) continue;
    persons.add(person);
    last.push(fact);
  }
  return last.reverse();
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
