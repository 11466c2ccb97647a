import type { ClickHouse } from '../clickhouse.js';
import type { StoredRestatement } from '../queries/restatements.js';
import { TableWriter } from './table-writer.js';

const REVISIONS = { begun: 1, done: 2 } as const;

/** Keeps the audit. An entry that is done replaces the one that was begun. */
export class RestatementSink {
  readonly #entries: TableWriter<StoredRestatement>;

  constructor(clickhouse: ClickHouse) {
    this.#entries = new TableWriter<StoredRestatement>(
      clickhouse,
      'gravity.restatements',
      [
        ...[
          'id',
          'at',
          'state',
          'by',
          'reason',
          'brand',
          'channel',
          'window',
          'scheme_id',
          'from_day',
          'to_day',
        ],
        ...['from_end', 'to_end'],
        ...['ends', 'ends_changed', 'rows', 'changes', 'log_positions', 'generation', 'build', 'revision'],
      ],
      (entry) => [
        ...[entry.id, entry.at, entry.state, entry.by, entry.reason, entry.brand, entry.channel],
        ...[entry.window, entry.schemeId, entry.fromDay, entry.toDay],
        ...[entry.fromEnd, entry.toEnd, entry.ends, entry.endsChanged, entry.rows],
        ...[entry.changes, entry.logPositions, entry.generation, entry.build, REVISIONS[entry.state]],
      ],
    );
  }

  write(entry: StoredRestatement): Promise<void> {
    return this.#entries.write([entry]);
  }
}
