import type { ClickHouse } from '../clickhouse.js';
import type { StoredGeneration } from '../queries/generations.js';
import { TableWriter } from './table-writer.js';

/** The tables whose rows belong to a generation. */
const TABLES = ['window_figures', 'window_heartbeats', 'period_figures', 'persons', 'late_events'] as const;

/** Says what becomes of a generation. An entry replaces the one before. */
export class GenerationSink {
  readonly #entries: TableWriter<StoredGeneration>;

  constructor(private readonly clickhouse: ClickHouse) {
    this.#entries = new TableWriter<StoredGeneration>(
      clickhouse,
      'gravity.generations',
      [
        'generation',
        'epoch',
        'log_id',
        'fold_version',
        'state',
        'began_at',
        'changed_at',
        'build',
        'shown_from',
      ],
      ({ generation, epoch, logId, foldVersion, state, beganAt, changedAt, build, shownFrom }) => [
        ...[generation, epoch, logId, foldVersion, state, beganAt, changedAt, build],
        shownFrom.map(String),
      ],
    );
  }

  write(entry: StoredGeneration): Promise<void> {
    return this.#entries.write([entry]);
  }

  /** Deletes the rows of a generation that nobody is shown (any more); ClickHouse does it in the background. */
  async deleteRows(generation: number): Promise<void> {
    for (const table of TABLES) {
      await this.clickhouse.command({
        sql: `ALTER TABLE gravity.${table} DELETE WHERE generation = {generation:UInt32}`,
        params: { generation },
      });
    }
  }
}
