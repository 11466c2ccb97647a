import { createHash } from 'node:crypto';
import {
  BatchFold,
  compileRules,
  decodeState,
  encodeFigures,
  FOLD_VERSION,
  hasSameSummaries,
  personSummaries,
  type BatchResult,
  type DueIndex,
  type Figures,
  type FoldFrame,
  type Relationship,
  type WindowHeartbeat,
} from '#domain';
import type { LogRecord } from './log.js';
import type { Outbox } from './outbox.js';
import { WINDOW_PAGES_MORE_MAX, WINDOW_ROWS_DUE_MAX } from './relationship-settings.js';
import { personRow, type FigureRow, type RowHead } from './rows.js';
import type { StateCache } from './state-cache.js';
import type { FrozenPartition, PartitionStore } from './state-store.js';

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
  #moreDue: boolean;
  #isRecovered = false;
  /** Set while a result is being joined: half a result must never reach the store. */
  #isBroken = false;
  /** Persons whose state was dropped, as they last were: a row that names them has to be taken back. */
  readonly #vanished = new Map<string, Relationship>();
  /** How far each window had got when it was flushed last. */
  readonly #beats = new Map<string, WindowHeartbeat>();
  /** Since the end of the recovery, which is no end of a window. */
  #hasVouched = false;
  /** What the last flush has left, which is no reason for another. */
  #pagesFlushed = 0;

  constructor(private readonly parts: PartitionParts) {
    this.partition = parts.partition;
    this.mutedTo = parts.mutedTo;
    this.#frame = parts.frame;
    this.#position = parts.position;
    this.#checkpointed = parts.position;
    this.#lastApplied = parts.lastApplied;
    this.#moreDue = isSomebodyDue(parts.dues, parts.frame.watermark);
    this.#endRecovery();
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

  /** Persons are due that the last tick did not come to. */
  get moreDue(): boolean {
    return this.#moreDue;
  }

  /** How much a checkpoint would write. */
  get dirtyStates(): number {
    return this.parts.cache.dirtyCount;
  }

  /** What a restart would have to fold again; offsets without a record count as one. */
  get recordsSinceCheckpoint(): number {
    return this.#position - this.#checkpointed;
  }

  /**
   * Does a part of what the next checkpoint has to do.
   * @param states   how many
   */
  prepareCheckpoint(states: number): void {
    this.parts.cache.encodeAhead(states);
  }

  /** A flush would give much memory back: of window ends that have been passed, or that wait for their rows. */
  get isFull(): boolean {
    const { windowPages } = this.parts.figures;
    return (
      windowPages > this.#pagesFlushed + WINDOW_PAGES_MORE_MAX || this.windowRowsDue() >= WINDOW_ROWS_DUE_MAX
    );
  }

  /** Rows of window ends that a flush would make with the watermark at `at` (ms), about. */
  windowRowsDue(at = this.#frame.watermark): number {
    return this.parts.figures.windowRowsDue(at);
  }

  get statesInMemory(): number {
    return this.parts.cache.size;
  }

  /** A person as of the last record that was folded. */
  stateOf(key: string): Relationship | undefined {
    return this.parts.cache.load(key);
  }

  /** All persons as of the last checkpoint; each is decoded anew. */
  *storedStates(): Iterable<Relationship> {
    for (const [, value] of this.parts.store.states()) yield decodeState(value);
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
    const { cache, dues, figures } = this.parts;
    this.#isBroken = true;
    for (const [key, state] of result.states) {
      if (state !== null) continue;
      const before = cache.load(key);
      if (before !== undefined) this.#vanished.set(key, before);
    }
    const rules = compileRules(result.frame.rules);
    cache.join(result.states, (before, after) => !hasSameSummaries(before, after, rules));
    dues.apply(result.dues);
    figures.apply(result.changes);
    this.#putLate(result);
    if (result.counts.ticks > 0) this.#moreDue = result.moreDue;
    this.#frame = result.frame;
    this.#position = nextOffset;
    if (last !== undefined) this.#lastApplied = { offset: last.offset, hash: recordHash(last.value) };
    this.#isBroken = false;
    this.#endRecovery();
  }

  /** Unlike figures, these rows never change again. */
  #putLate({ changes, frame }: BatchResult): void {
    for (const { offset, ...late } of changes.late) {
      this.parts.outbox.put({
        table: 'late_events',
        partition: this.partition,
        generation: frame.generation,
        version: BigInt(frame.epoch) * EPOCH_FACTOR + BigInt(offset),
        ...{ brand: late.brand, channel: late.channel, window: late.window },
        ...{ event_id: late.eventId, person: late.person, at: late.at, arrived_at: late.arrivedAt },
        ...{ missed_from: late.missedFrom, missed_to: late.missedTo },
      });
    }
  }

  /**
   * Moves what has changed since the last call into the outbox, as absolute rows. Heartbeats come last, since they
   * vouch for the others; once what had been published is folded again, they are repeated as of there.
   */
  flush(corrections: boolean): void {
    const head = {
      partition: this.partition,
      generation: this.#frame.generation,
      version: BigInt(this.#frame.epoch) * EPOCH_FACTOR + BigInt(this.#position),
    };
    const put = (row: FigureRow): void => this.parts.outbox.put(row);
    const { figures } = this.parts;
    for (const row of figures.takeWindowRows(corrections)) put({ table: 'window_figures', ...head, ...row });
    for (const row of figures.takePeriodRows()) put({ table: 'period_figures', ...head, ...row });
    this.#flushPersons(head, put);
    const news = figures.takeHeartbeats();
    for (const beat of news) this.#beats.set(beat.window, beat);
    const beats = this.#isRecovered && !this.#hasVouched ? this.#beats.values() : news;
    this.#hasVouched = this.#isRecovered;
    for (const beat of beats) put({ table: 'window_heartbeats', ...head, ...beat });
    this.#pagesFlushed = figures.windowPages;
  }

  #flushPersons(head: Omit<RowHead, 'brand'>, put: (row: FigureRow) => void): void {
    const { rules, hash } = compileRules(this.#frame.rules);
    // As of the instant the person was looked at last: what is flushed when must not change what a row says.
    // Those who have vanished come first: who has come back since has a row of his own again.
    for (const state of this.#vanished.values()) {
      for (const summary of personSummaries(state, rules, state.evaluatedAt)) {
        put(personRow(head, { ...summary, gone: true }));
      }
    }
    // Who has not been looked at by these rules yet is told again: they may go before he is.
    for (const state of this.parts.cache.takeChanged(({ rulesHash }) => rulesHash === hash)) {
      for (const summary of personSummaries(state, rules, state.evaluatedAt)) {
        put(personRow(head, summary));
      }
    }
    this.#vanished.clear();
  }

  /**
   * Makes all of it durable in one atomic write, with the position it belongs to.
   * @returns false when there was nothing to write
   */
  checkpoint(): boolean {
    const { logId, epoch, generation, watermark } = this.#frame;
    if (this.#position === this.#checkpointed || this.#isBroken || logId === null) return false;
    this.flush(true);
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
    return true;
  }

  /** What the store holds now: the state as of the last checkpoint. */
  freeze(): FrozenPartition | null {
    return this.parts.store.freeze();
  }

  close(): void {
    this.parts.store.close();
  }

  /** What was folded before the restart has been folded again: from here on the figures are news. */
  #endRecovery(): void {
    if (this.#isRecovered || this.#position < this.mutedTo) return;
    this.#isRecovered = true;
    this.parts.figures.recovered();
  }
}

function isSomebodyDue(dues: DueIndex, watermark: number): boolean {
  const [first] = dues.instants();
  // Before the first tick nobody is due: time has not begun.
  return watermark > 0 && first !== undefined && first <= watermark;
}

/** Hash of a record's value: how a store recognises its log. */
export function recordHash(value: Buffer | null): string {
  return createHash('sha256')
    .update(value ?? '')
    .digest('hex')
    .slice(0, 32);
}
