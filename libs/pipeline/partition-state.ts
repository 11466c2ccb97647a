import { createHash } from 'node:crypto';
import {
  BatchFold,
  encodeFigures,
  FOLD_VERSION,
  personSummaries,
  type BatchResult,
  type DueIndex,
  type Figures,
  type FoldFrame,
} from '#domain';
import { type LogRecord } from './log.js';
import { type Outbox } from './outbox.js';
import { type FigureRow } from './rows.js';
import { type StateCache } from './state-cache.js';
import { type PartitionStore } from './state-store.js';

/** Everything a partition holds in memory; all of it can be folded again from the log. */
export interface PartitionParts {
  readonly partition: number;
  readonly store: PartitionStore;
  readonly cache: StateCache;
  readonly dues: DueIndex;
  readonly figures: Figures;
  readonly outbox: Outbox;
  readonly frame: FoldFrame;
  /** Next offset to fold. */
  readonly position: number;
  /** Up to here the facts had been published before the restart. */
  readonly mutedTo: number;
  readonly lastApplied: AppliedRecord | null;
}

/** Position and content hash of the last record that was folded. */
export interface AppliedRecord {
  readonly offset: number;
  readonly hash: string;
}

const EPOCH_FACTOR = 2n ** 48n;

/** The folded state of one partition of the relationship log. It changes only by `join`. */
export class PartitionState {
  readonly partition: number;
  readonly mutedTo: number;
  #frame: FoldFrame;
  #position: number;
  #checkpointed: number;
  #lastApplied: AppliedRecord | null;
  readonly #dirtyPersons = new Set<string>();

  constructor(private readonly parts: PartitionParts) {
    this.partition = parts.partition;
    this.mutedTo = parts.mutedTo;
    this.#frame = parts.frame;
    this.#position = parts.position;
    this.#checkpointed = parts.position;
    this.#lastApplied = parts.lastApplied;
  }

  get frame(): FoldFrame {
    return this.#frame;
  }

  get position(): number {
    return this.#position;
  }

  get outbox(): Outbox {
    return this.parts.outbox;
  }

  /** How much a checkpoint would write. */
  get dirtyStates(): number {
    return this.parts.cache.dirtyCount;
  }

  get statesInMemory(): number {
    return this.parts.cache.size;
  }

  /** The records that have not been folded: a batch may be offered again after a failure. */
  unseen(records: readonly LogRecord[]): readonly LogRecord[] {
    const first = records[0];
    if (first === undefined || first.offset >= this.#position) return records;
    return records.filter((record) => record.offset >= this.#position);
  }

  /** An overlay over what is committed; nothing here changes until its result is joined. */
  beginFold(): BatchFold {
    const { cache, dues } = this.parts;
    return new BatchFold({ load: (key) => cache.load(key), dues, frame: this.#frame });
  }

  /** Takes over the result of a batch whose transaction is known to be committed. */
  join(result: BatchResult, nextOffset: number, last: LogRecord | undefined): void {
    this.parts.cache.join(result.states);
    this.parts.dues.apply(result.dues);
    this.parts.figures.apply(result.changes);
    for (const key of result.states.keys()) this.#dirtyPersons.add(key);
    this.#frame = result.frame;
    this.#position = nextOffset;
    if (last !== undefined) this.#lastApplied = { offset: last.offset, hash: recordHash(last.value) };
  }

  /** Moves what has changed since the last call into the outbox, as absolute rows. */
  flush(corrections: boolean): void {
    const { rules } = this.#frame;
    if (rules === null) return;
    const head = {
      partition: this.partition,
      generation: this.#frame.generation,
      version: BigInt(this.#frame.epoch) * EPOCH_FACTOR + BigInt(this.#position),
    };
    const put = (row: FigureRow): void => this.parts.outbox.put(row);
    for (const row of this.parts.figures.takeWindowRows(corrections)) {
      put({ table: 'window_figures', ...head, ...row });
    }
    for (const row of this.parts.figures.takePeriodRows()) put({ table: 'period_figures', ...head, ...row });
    for (const row of this.parts.figures.takeHeartbeats())
      put({ table: 'window_heartbeats', ...head, ...row });
    for (const key of this.#dirtyPersons) {
      const state = this.parts.cache.load(key);
      if (state === undefined) continue;
      for (const summary of personSummaries(state, rules, this.#frame.watermark)) {
        put({ table: 'persons', ...head, ...summary });
      }
    }
    this.#dirtyPersons.clear();
  }

  /** Makes all of it durable in one atomic write, with the position it belongs to. */
  checkpoint(): void {
    if (this.#position === this.#checkpointed) return;
    this.flush(true);
    const { logId, epoch, generation, watermark } = this.#frame;
    if (logId === null) return;
    const { store, cache, outbox } = this.parts;
    store.write({
      checkpoint: {
        logId,
        epoch,
        generation,
        foldVersion: FOLD_VERSION,
        offset: this.#position,
        lastApplied: this.#lastApplied,
        watermark,
      },
      states: cache.dirtyStates(),
      blobs: encodeFigures(this.parts.figures, this.#frame),
      outbox: outbox.toStore(),
    });
    cache.clean();
    outbox.storedNow();
    this.#checkpointed = this.#position;
  }

  close(): void {
    this.parts.store.close();
  }
}

/** Hash of a record's value: how a store recognises its log. */
export function recordHash(value: Buffer | null): string {
  return createHash('sha256')
    .update(value ?? '')
    .digest('hex')
    .slice(0, 32);
}
