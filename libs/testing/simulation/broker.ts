/**
 * Kafka, as far as exactly-once needs it, in memory: partitions with transactions that leave markers, reads that
 * stop at the first open transaction, transactional ids with epochs, offsets that become valid with a transaction.
 * All of it happens at once; delays and failures are the scheduler's.
 */
import type {
  LogRecord,
  OutgoingRecord,
  PartitionEnds,
  Position,
  TopicPartition,
  TopicSpec,
} from '#pipeline';
import { InvariantError } from './life.js';

/** Another writer has the transactional id. */
export class FencedError extends Error {
  override readonly name = 'FencedError';
}

/** What is asked of a transaction does not fit its state. */
export class TransactionStateError extends Error {
  override readonly name = 'TransactionStateError';
}

interface Transaction {
  readonly id: string;
  state: 'open' | 'committed' | 'aborted';
  readonly partitions: Set<BrokerPartition>;
  readonly positions: { readonly group: string; readonly position: Position }[];
  readonly records: OutgoingRecord[];
}

interface Entry {
  readonly timestamp: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly transaction: Transaction | null;
  readonly isMarker: boolean;
}

interface Producer {
  epoch: number;
  open: Transaction | null;
  last: 'committed' | 'aborted' | null;
}

class BrokerPartition {
  readonly entries: Entry[] = [];
  /** Where each open transaction has its first record here. */
  readonly openFrom = new Map<Transaction, number>();

  /** Where a read-committed reader has to stop. */
  stableEnd(): number {
    return Math.min(this.entries.length, ...this.openFrom.values());
  }

  /** A committed record of the transactional id stands behind an open transaction of somebody else. */
  hidesFrom(id: string): boolean {
    return this.entries
      .slice(this.stableEnd())
      .some(({ transaction }) => transaction?.id === id && transaction.state === 'committed');
  }
}

export interface Fetched {
  readonly records: readonly LogRecord[];
  readonly nextOffset: number;
  readonly endOffset: number;
}

export class Broker {
  readonly #topics = new Map<string, readonly BrokerPartition[]>();
  readonly #producers = new Map<string, Producer>();
  readonly #committed = new Map<string, number>();
  /** Records of each committed transaction, oldest first, by transactional id. */
  readonly transactions: { readonly id: string; readonly records: readonly OutgoingRecord[] }[] = [];

  /** Ids whose new holder could not see all that the former one had committed to their input. */
  readonly blindTakeOvers = new Set<string>();

  constructor(private readonly now: () => number) {}

  create(specs: readonly TopicSpec[]): void {
    for (const { topic, partitions } of specs) {
      this.#topics.set(
        topic,
        Array.from({ length: partitions }, () => new BrokerPartition()),
      );
    }
  }

  append(records: readonly OutgoingRecord[]): number {
    for (const record of records) this.#put(record, null);
    return this.now();
  }

  /** Takes a transactional id over: what its former holder has left open is aborted. @returns the epoch */
  takeOver(id: string): number {
    const producer = this.#producer(id);
    if (producer.open !== null) this.#finish(producer, producer.open, 'aborted');
    producer.epoch += 1;
    const [, topic = '', partition] = id.split('/');
    if (this.#topics.get(topic)?.[Number(partition)]?.hidesFrom(id) === true) this.blindTakeOvers.add(id);
    return producer.epoch;
  }

  /** A new epoch for whoever holds the id still. @throws FencedError */
  bump(id: string, epoch: number): number {
    this.#held(id, epoch);
    return this.takeOver(id);
  }

  /** @throws FencedError */
  produce(id: string, epoch: number, records: readonly OutgoingRecord[]): number {
    const transaction = this.#begun(id, epoch);
    for (const record of records) this.#put(record, transaction);
    return this.now();
  }

  /** @throws FencedError */
  addPositions(id: string, epoch: number, group: string, positions: readonly Position[]): void {
    const transaction = this.#begun(id, epoch);
    for (const position of positions) transaction.positions.push({ group, position });
  }

  /** Safe to repeat. @throws FencedError @throws TransactionStateError */
  end(id: string, epoch: number, outcome: 'committed' | 'aborted'): void {
    const producer = this.#held(id, epoch);
    if (producer.open !== null) this.#finish(producer, producer.open, outcome);
    else if (producer.last !== outcome) throw new TransactionStateError(`${id} cannot be ${outcome}`);
  }

  /** Ids with an open transaction. */
  openIds(): readonly string[] {
    return [...this.#producers].filter(([, { open }]) => open !== null).map(([id]) => id);
  }

  committed(group: string, input: TopicPartition): number | null {
    return this.#committed.get(keyOf(group, input)) ?? null;
  }

  hasTopic(topic: string): boolean {
    return this.#topics.has(topic);
  }

  ends(topic: string): readonly PartitionEnds[] {
    const partitions = this.#topics.get(topic) ?? [];
    return partitions.map((one, partition) => ({ partition, start: 0, end: one.stableEnd() }));
  }

  hasMore({ topic, partition }: TopicPartition, from: number): boolean {
    return this.#partition(topic, partition).stableEnd() > from;
  }

  /** Committed records, as copies. Their offsets have gaps, and reading may go on behind the last of them. */
  read({ topic, partition }: TopicPartition, from: number, to: number, recordsMax: number): Fetched {
    const found = this.#partition(topic, partition);
    const endOffset = found.stableEnd();
    const records: LogRecord[] = [];
    let at = from;
    for (; at < Math.min(endOffset, to) && records.length < recordsMax; at += 1) {
      const entry = found.entries[at];
      if (entry === undefined || entry.isMarker || entry.transaction?.state === 'aborted') continue;
      const { timestamp, key, value } = entry;
      records.push({ offset: at, timestamp, key: copyOf(key), value: copyOf(value) });
    }
    return { records, nextOffset: at, endOffset };
  }

  #put({ topic, partition, key, value }: OutgoingRecord, transaction: Transaction | null): void {
    const target = this.#partition(topic, partition);
    const bytes = typeof key === 'string' ? Buffer.from(key) : copyOf(key);
    const entry = { timestamp: this.now(), key: bytes, value: copyOf(value), transaction, isMarker: false };
    target.entries.push(entry);
    if (transaction === null) return;
    if (!target.openFrom.has(transaction)) target.openFrom.set(transaction, target.entries.length - 1);
    transaction.partitions.add(target);
    transaction.records.push({ topic, partition, key: bytes, value: entry.value });
  }

  #finish(producer: Producer, transaction: Transaction, outcome: 'committed' | 'aborted'): void {
    producer.open = null;
    producer.last = outcome;
    transaction.state = outcome;
    for (const { entries, openFrom } of transaction.partitions) {
      openFrom.delete(transaction);
      entries.push({ timestamp: this.now(), key: null, value: null, transaction: null, isMarker: true });
    }
    if (outcome === 'aborted') return;
    this.transactions.push({ id: transaction.id, records: transaction.records });
    for (const { group, position } of transaction.positions) this.#move(group, position);
  }

  #move(group: string, position: Position): void {
    const key = keyOf(group, position);
    const before = this.#committed.get(key) ?? 0;
    if (position.offset < before) {
      throw new InvariantError(
        `the committed position of ${key} goes back from ${before} to ${position.offset}`,
      );
    }
    this.#committed.set(key, position.offset);
  }

  #begun(id: string, epoch: number): Transaction {
    const producer = this.#held(id, epoch);
    const partitions = new Set<BrokerPartition>();
    producer.open ??= { id, state: 'open', partitions, positions: [], records: [] };
    return producer.open;
  }

  #held(id: string, epoch: number): Producer {
    const producer = this.#producer(id);
    if (producer.epoch !== epoch) throw new FencedError(`${id} is at epoch ${producer.epoch}, not ${epoch}`);
    return producer;
  }

  #producer(id: string): Producer {
    const known = this.#producers.get(id) ?? { epoch: 0, open: null, last: null };
    this.#producers.set(id, known);
    return known;
  }

  #partition(topic: string, partition: number): BrokerPartition {
    const found = this.#topics.get(topic)?.[partition];
    if (found === undefined) throw new Error(`${topic}-${partition} does not exist`);
    return found;
  }
}

function keyOf(group: string, { topic, partition }: TopicPartition): string {
  return `${group} on ${topic}-${partition}`;
}

function copyOf(bytes: Buffer | null): Buffer | null {
  return bytes === null ? null : Buffer.from(bytes);
}
