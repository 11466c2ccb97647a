import type { TierChanged } from '#domain';
import type { StoredDeadLetter } from '#pipeline';
import type { ClickHouse } from '../clickhouse.js';
import { DeadLetterSink } from './dead-letter-sink.js';
import { TierChangeSink } from './tier-change-sink.js';
import { type TouchpointEntry, TouchpointSink } from './touchpoint-sink.js';

/** Where the archive writes: what is acknowledged is stored, and writing it again changes nothing. */
export class ClickHouseArchiveSink {
  readonly #facts: TouchpointSink;
  readonly #tierChanges: TierChangeSink;
  readonly #deadLetters: DeadLetterSink;

  /** @param insertRowsMax   more than the usual where no event loop needs to be kept responsive */
  constructor(clickhouse: ClickHouse, insertRowsMax?: number) {
    this.#facts = new TouchpointSink(clickhouse, insertRowsMax);
    this.#tierChanges = new TierChangeSink(clickhouse, insertRowsMax);
    this.#deadLetters = new DeadLetterSink(clickhouse);
  }

  writeFacts(facts: Iterable<TouchpointEntry>): Promise<void> {
    return this.#facts.write(facts);
  }

  writeTierChanges(changes: Iterable<TierChanged>): Promise<void> {
    return this.#tierChanges.write(changes);
  }

  writeDeadLetters(letters: Iterable<StoredDeadLetter>): Promise<void> {
    return this.#deadLetters.write(letters);
  }
}
