import type { ClickHouse } from '../clickhouse.js';
import type { StoredComparison, StoredDrift } from '../queries/reconciliations.js';
import { TableWriter } from './table-writer.js';

/** Stores the runs of the reconciliation. Writing one again changes nothing. */
export class ReconciliationSink {
  readonly #comparisons: TableWriter<StoredComparison>;
  readonly #drifts: TableWriter<StoredDrift>;

  constructor(clickhouse: ClickHouse) {
    this.#comparisons = new TableWriter<StoredComparison>(
      clickhouse,
      'gravity.reconciliations',
      ['run_at', 'brand', 'what', 'compared', 'set_aside', 'differ'],
      ({ runAt, brand, what, compared, setAside, differ }) => [
        runAt,
        brand,
        what,
        compared,
        setAside,
        differ,
      ],
    );
    this.#drifts = new TableWriter<StoredDrift>(
      clickhouse,
      'gravity.drifts',
      ['run_at', 'brand', 'what', 'place', 'figure', 'live', 'recount'],
      ({ runAt, brand, what, place, figure, live, recount }) => [
        ...[runAt, brand, what, place, figure],
        ...[live, recount],
      ],
    );
  }

  /** The drifts first: a run that is seen is whole. */
  async write(comparisons: readonly StoredComparison[], drifts: readonly StoredDrift[]): Promise<void> {
    await this.#drifts.write(drifts);
    await this.#comparisons.write(comparisons);
  }
}
