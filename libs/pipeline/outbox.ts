import { decodeRow, encodeRow, rowKey } from './row-codec.js';
import type { FigureRow, FigureSink } from './rows.js';
import type { OutboxEntry } from './state-store.js';

/** What one pump did. */
export interface PumpReport {
  readonly rows: number;
  readonly durationMs: number;
  /** Set when the sink refused; the rows stay and are sent again. */
  readonly error: Error | null;
}

/**
 * Rows on their way to ClickHouse. A newer row of one key replaces the older, so the outbox holds at most one
 * row a key however long the sink is away. Unacknowledged rows are part of every checkpoint.
 *
 * A heartbeat says that the rows before it are there. So it always stands behind them: it goes to the end when
 * it is replaced, and when rows come back from a store, which keeps no order.
 */
export class Outbox {
  readonly #rows = new Map<string, FigureRow>();
  /** Keys that the store holds from an earlier checkpoint. */
  readonly #stored = new Set<string>();
  /** Keys whose row the store does not have, or not in this version. */
  readonly #unsaved = new Set<string>();
  #pumping = false;

  /** Rows that were not acknowledged when the last checkpoint was written. */
  restore(entries: Iterable<readonly [key: string, value: Buffer]>): void {
    const heartbeats: [string, FigureRow][] = [];
    for (const [key, value] of entries) {
      this.#stored.add(key);
      const row = decodeRow(value);
      if (row.table === 'window_heartbeats') heartbeats.push([key, row]);
      else this.#rows.set(key, row);
    }
    for (const [key, row] of heartbeats) this.#rows.set(key, row);
  }

  put(row: FigureRow): void {
    const key = rowKey(row);
    if (row.table === 'window_heartbeats') this.#rows.delete(key);
    this.#rows.set(key, row);
    this.#unsaved.add(key);
  }

  get size(): number {
    return this.#rows.size;
  }

  /** The difference between what the store holds and what waits now. */
  *toStore(): Iterable<OutboxEntry> {
    for (const key of this.#stored) if (!this.#rows.has(key)) yield { key, value: null };
    for (const key of this.#unsaved) {
      const row = this.#rows.get(key);
      if (row !== undefined) yield { key, value: encodeRow(row) };
    }
  }

  /** To be called once the checkpoint with `toStore` is durable, before anything else happens here. */
  storedNow(): void {
    for (const key of this.#stored) if (!this.#rows.has(key)) this.#stored.delete(key);
    for (const key of this.#unsaved) if (this.#rows.has(key)) this.#stored.add(key);
    this.#unsaved.clear();
  }

  /** Sends up to `rowsMax` of the oldest rows. One pump at a time; a second call answers at once. Never rejects. */
  async pump(sink: FigureSink, rowsMax: number, now: () => number): Promise<PumpReport> {
    if (this.#pumping || this.#rows.size === 0) return { rows: 0, durationMs: 0, error: null };
    this.#pumping = true;
    const started = now();
    try {
      const sent: [string, FigureRow][] = [];
      for (const entry of this.#rows) {
        sent.push(entry);
        if (sent.length >= rowsMax) break;
      }
      await sink.write(sent.map(([, row]) => row));
      // A row that was replaced while it was on its way stays: the newer one is still to be sent.
      for (const [key, row] of sent) if (this.#rows.get(key) === row) this.#rows.delete(key);
      return { rows: sent.length, durationMs: now() - started, error: null };
    } catch (error) {
      return { rows: 0, durationMs: now() - started, error: asError(error) };
    } finally {
      this.#pumping = false;
    }
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
