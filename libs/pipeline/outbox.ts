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
 */
export class Outbox {
  readonly #rows = new Map<string, FigureRow>();
  /** Keys that the store holds from an earlier checkpoint. */
  #stored = new Set<string>();
  #pumping = false;

  /** Rows that were not acknowledged when the last checkpoint was written. */
  restore(entries: Iterable<readonly [key: string, value: Buffer]>): void {
    for (const [key, value] of entries) {
      this.#stored.add(key);
      this.#rows.set(key, decodeRow(value));
    }
  }

  put(row: FigureRow): void {
    this.#rows.set(rowKey(row), row);
  }

  get size(): number {
    return this.#rows.size;
  }

  /** The difference between what the store holds and what waits now. */
  *toStore(): Iterable<OutboxEntry> {
    for (const key of this.#stored) if (!this.#rows.has(key)) yield { key, value: null };
    for (const [key, row] of this.#rows) yield { key, value: encodeRow(row) };
  }

  /** To be called once the checkpoint with `toStore` is durable. */
  storedNow(): void {
    this.#stored = new Set(this.#rows.keys());
  }

  /** Sends up to `rowsMax` of the oldest rows. One pump at a time; a second call answers at once. */
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
