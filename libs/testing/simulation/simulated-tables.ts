import type { ArchiveSink, FigureRow, FigureSink, RawFact, StoredDeadLetter } from '#pipeline';
import type { TierChanged } from '#domain';
import { RecordingFigureSink } from '../recording-figure-sink.js';
import type { Life } from './life.js';
import type { Scheduler } from './scheduler.js';

/** ClickHouse: tables that keep one row a sort key, however often and late it is written. */
export class SimulatedTables {
  readonly figures = new RecordingFigureSink();
  readonly rawFacts = new Map<string, RawFact>();
  readonly tierChanges = new Map<string, TierChanged>();
  readonly deadLetters = new Map<string, StoredDeadLetter>();

  putFacts(facts: Iterable<RawFact>): void {
    for (const fact of facts) {
      const { brand, channel, at, eventId, person, contentHash } = fact.touchpoint;
      const key = JSON.stringify([brand, channel, at, eventId, person, contentHash]);
      const known = this.rawFacts.get(key);
      if (known === undefined || known.version <= fact.version) this.rawFacts.set(key, fact);
    }
  }

  putTierChanges(changes: Iterable<TierChanged>): void {
    for (const change of changes) this.tierChanges.set(tierChangeKey(change), change);
  }

  putDeadLetters(letters: Iterable<StoredDeadLetter>): void {
    for (const letter of letters) this.deadLetters.set(deadLetterKey(letter), letter);
  }
}

/** What the table of tier changes is sorted by. */
export function tierChangeKey({
  brand,
  detectedAt,
  version,
  person,
  schemeId,
  periodId,
}: TierChanged): string {
  return JSON.stringify([brand, detectedAt, version.toString(), person, schemeId, periodId]);
}

export function deadLetterKey({ arrivedAt, source }: StoredDeadLetter): string {
  return JSON.stringify([arrivedAt, source.topic, source.partition, source.offset]);
}

/** The figure sink of one process. */
export class SimulatedFigureSink implements FigureSink {
  constructor(
    private readonly tables: SimulatedTables,
    private readonly scheduler: Scheduler,
    private readonly life: Life,
  ) {}

  write(rows: readonly FigureRow[]): Promise<void> {
    const copy = [...rows];
    return this.scheduler.call(this.life, 'insert', `insert ${rows.length} figures`, () => {
      void this.tables.figures.write(copy);
    });
  }
}

/** The archive's sink of one process. */
export class SimulatedArchiveSink implements ArchiveSink {
  constructor(
    private readonly tables: SimulatedTables,
    private readonly scheduler: Scheduler,
    private readonly life: Life,
  ) {}

  writeFacts(facts: Iterable<RawFact>): Promise<void> {
    return this.#insert('facts', facts, (rows) => this.tables.putFacts(rows));
  }

  writeTierChanges(changes: Iterable<TierChanged>): Promise<void> {
    return this.#insert('tier changes', changes, (rows) => this.tables.putTierChanges(rows));
  }

  writeDeadLetters(letters: Iterable<StoredDeadLetter>): Promise<void> {
    return this.#insert('dead letters', letters, (rows) => this.tables.putDeadLetters(rows));
  }

  #insert<Row>(what: string, rows: Iterable<Row>, put: (rows: readonly Row[]) => void): Promise<void> {
    const all = [...rows];
    return this.scheduler.call(this.life, 'insert', `insert ${all.length} ${what}`, () => put(all));
  }
}
