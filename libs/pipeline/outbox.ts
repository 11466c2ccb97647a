import { decodeRow, encodeRow, rowKey } from './row-codec.js';
import type { FigureRow, FigureSink } from './rows.js';
import type { OutboxEntry } from './state-store.js';
import { asError } from './thrown.js';

/** What one pump did. */
export interface PumpReport {
  readonly rows: number;
  readonly durationMs: number;
  /** Set when the sink refused; the rows stay and are sent again. */
  readonly error: Error | null;
}

/** A row that the sink has not acknowledged. */
interface Waiting {
  row: FigureRow;
  /** The store has it, in this version. */
  isSaved: boolean;
}

/**
 * Rows on their way to ClickHouse. A newer row of one key replaces the older, so the outbox holds at most one
 * row a key however long the sink is away. Unacknowledged rows are part of every checkpoint.
 *
 * A heartbeat says that the rows before it are there. So it always stands behind them: it goes to the end when
 * it is replaced, and when rows come back from a store, which keeps no order.
 */
export class Outbox {
  readonly #rows = new Map<string, Waiting>();
  /** Keys that the store holds from an earlier checkpoint. */
  readonly #stored = new Set<string>();
  #pumping = false;

  /** Rows that were not acknowledged when the last checkpoint was written. */
  restore(entries: Iterable<readonly [key: string, value: Buffer]>): void {
    const heartbeats: [string, FigureRow][] = [];
    for (const [key, value] of entries) {
      this.#stored.add(key);
      const row = decodeRow(value);
      if (row.table === 'window_heartbeats') heartbeats.push([key, row]);
      else this.#rows.set(key, { row, isSaved: true });
    }
    for (const [key, row] of heartbeats) this.#rows.set(key, { row, isSaved: true });
  }

  put(row: FigureRow): void {
    const key = rowKey(row);
    const waiting = this.#rows.get(key);
    if (waiting !== undefined) {
      waiting.row = row;
      waiting.isSaved = false;
      if (row.table !== 'window_heartbeats') return;
      this.#rows.delete(key);
    }
    this.#rows.set(key, { row, isSaved: false });
  }

  get size(): number {
    return this.#rows.size;
  }

  /** The difference between what the store holds and what waits now. */
  *toStore(): Iterable<OutboxEntry> {
    for (const key of this.#stored) if (!this.#rows.has(key)) yield { key, value: null };
    for (const [key, { row, isSaved }] of this.#rows) if (!isSaved) yield { key, value: encodeRow(row) };
  }

  /** To be called once the checkpoint with `toStore` is durable, before anything else happens here. */
  storedNow(): void {
    for (const key of this.#stored) if (!this.#rows.has(key)) this.#stored.delete(key);
    for (const [key, waiting] of this.#rows) {
      if (waiting.isSaved) continue;
      waiting.isSaved = true;
      this.#stored.add(key);
    }
  }

  /** Sends up to `rowsMax` of the oldest rows. One pump at a time; a second call answers at once. Never rejects. */
  async pump(sink: FigureSink, rowsMax: number, now: () => number): Promise<PumpReport> {
    if (this.#pumping || this.#rows.size === 0) return { rows: 0, durationMs: 0, error: null };
    this.#pumping = true;
    const started = now();
    try {
      const keys: string[] = [];
      const sent: Waiting[] = [];
      const rows: FigureRow[] = [];
      for (const [key, waiting] of this.#rows) {
        keys.push(key);
        sent.push(waiting);
        rows.push(waiting.row);
        if (rows.length >= rowsMax) break;
      }
      await sink.write(rows);
      // A row that was replaced while it was on its way stays: the newer one is still to be sent.
      for (const [index, key] of keys.entries()) {
        if (sent[index]?.row === rows[index]) this.#rows.delete(key);
      }
      return { rows: rows.length, durationMs: now() - started, error: null };
    } catch (error) {
      return { rows: 0, durationMs: now() - started, error: asError(error) };
    } finally {
      this.#pumping = false;
    }
  }
}
