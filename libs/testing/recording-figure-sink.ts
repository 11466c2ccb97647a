import type { FigureRow, FigureSink } from '#pipeline';

/** The columns that ClickHouse's tables are sorted by: rows equal in them replace one another. */
function sortKey(row: FigureRow): string {
  switch (row.table) {
    case 'window_figures':
      return JSON.stringify([
        row.table,
        row.brand,
        row.channel,
        row.window,
        row.end,
        row.generation,
        row.partition,
      ]);
    case 'period_figures': {
      const { brand, channel, scheme_id, period_id, day, generation, partition } = row;
      return JSON.stringify([row.table, brand, channel, scheme_id, period_id, day, generation, partition]);
    }
    case 'persons':
      return JSON.stringify([row.table, row.brand, row.scheme_id, row.person, row.generation, row.partition]);
    case 'window_heartbeats':
      return JSON.stringify([row.table, row.window, row.generation, row.partition]);
    case 'late_events':
      return JSON.stringify([
        row.table,
        row.brand,
        row.window,
        row.at,
        row.event_id,
        row.person,
        row.generation,
      ]);
  }
}

/** Keeps figure rows in memory as the tables do: of each key the highest version, of one version the last. */
export class RecordingFigureSink implements FigureSink {
  readonly #rows = new Map<string, FigureRow>();
  /** Number of rows that were ever written, repetitions included. */
  written = 0;

  write(rows: readonly FigureRow[]): Promise<void> {
    for (const row of rows) {
      const key = sortKey(row);
      const known = this.#rows.get(key);
      if (known === undefined || known.version <= row.version) this.#rows.set(key, row);
    }
    this.written += rows.length;
    return Promise.resolve();
  }

  rows<T extends FigureRow['table']>(table: T): readonly Extract<FigureRow, { table: T }>[] {
    const isOf = (row: FigureRow): row is Extract<FigureRow, { table: T }> => row.table === table;
    return [...this.#rows.values()].filter(isOf);
  }
}
