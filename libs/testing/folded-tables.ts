/** A log folded by several partitions into the tables of ClickHouse, with its raw facts beside the figures. */
import { ClickHouseFigureSink, TouchpointSink, type ClickHouse, type TouchpointEntry } from '#clickhouse';
import type { LogEntry, Rules, Touchpoint } from '#domain';
import type { FigureRow } from '#pipeline';
import { FoldHarness } from './fold-harness.js';

const EPOCH = 2n ** 48n;
const TABLES = [
  ...['touchpoints', 'window_figures', 'window_heartbeats', 'period_figures'],
  ...['late_events', 'restatements'],
];

interface Partition {
  readonly number: number;
  readonly fold: FoldHarness;
}

export class FoldedTables {
  readonly facts: Touchpoint[] = [];
  /** Every row that the fold has written, in order. */
  readonly rows: FigureRow[] = [];
  private readonly partitions: readonly Partition[];

  private constructor(
    readonly clickhouse: ClickHouse,
    rules: Rules,
    partitions: number,
  ) {
    this.partitions = Array.from({ length: partitions }, (_, number) => {
      return { number, fold: new FoldHarness(rules) };
    });
  }

  /** Of nothing yet; what was in the tables is gone. */
  static async empty(clickhouse: ClickHouse, rules: Rules, partitions: number): Promise<FoldedTables> {
    for (const table of TABLES) await clickhouse.command({ sql: `TRUNCATE TABLE gravity.${table}` });
    return new FoldedTables(clickhouse, rules, partitions);
  }

  /** Folds the entries, ticks in every partition, and stores what comes of it. */
  async fold(entries: readonly LogEntry[]): Promise<void> {
    const written: FigureRow[] = [];
    const stored: TouchpointEntry[] = [];
    for (const entry of entries) {
      for (const { number: partition, fold } of this.ownersOf(entry)) {
        const { offset } = fold;
        const { changes } = fold.fold([entry]);
        const head = { partition, generation: fold.frame.generation };
        if (entry.type !== 'tick' && 'contentHash' in entry) {
          this.facts.push(entry);
          stored.push({
            touchpoint: entry,
            detail: null,
            ...{ partition, offset, version: EPOCH + BigInt(offset) },
          });
        }
        for (const { offset: at, eventId, arrivedAt, missedFrom, missedTo, ...late } of changes.late) {
          written.push({
            ...{ table: 'late_events', ...head, ...late, version: EPOCH + BigInt(at), event_id: eventId },
            ...{ arrived_at: arrivedAt, missed_from: missedFrom, missed_to: missedTo },
          });
        }
        if (entry.type === 'tick') written.push(...this.taken(partition, fold));
      }
    }
    this.rows.push(...written);
    await new TouchpointSink(this.clickhouse).write(stored);
    await new ClickHouseFigureSink(this.clickhouse).write(written);
  }

  private ownersOf(entry: LogEntry): readonly Partition[] {
    if (!('person' in entry)) return this.partitions;
    const sum = [...entry.person].reduce((total, char) => total + (char.codePointAt(0) ?? 0), 0);
    return this.partitions.filter(({ number }) => number === sum % this.partitions.length);
  }

  private *taken(partition: number, { figures, frame, offset }: FoldHarness): Generator<FigureRow> {
    const head = { partition, generation: frame.generation, version: EPOCH + BigInt(offset) };
    for (const row of figures.takeWindowRows(true)) yield { table: 'window_figures', ...head, ...row };
    for (const row of figures.takePeriodRows()) yield { table: 'period_figures', ...head, ...row };
    for (const row of figures.takeHeartbeats()) yield { table: 'window_heartbeats', ...head, ...row };
  }
}
