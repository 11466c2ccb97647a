/** What a run has left behind, in a form that two runs can be compared by. */
import { type FigureRow, type StateStore } from '#pipeline';
import { type RecordingFigureSink } from './recording-figure-sink.js';

/** A row as text, without the version and watermark: when it was flushed does not matter. */
export type PlainRow = string;

const TABLES = ['window_figures', 'period_figures', 'persons', 'window_heartbeats'] as const;

/** All rows that say something: one of zeros says the same as none. Sorted. */
export function figureRows(sink: RecordingFigureSink): readonly PlainRow[] {
  return TABLES.flatMap((table) => sink.rows<FigureRow['table']>(table))
    .filter((row) => row.table !== 'window_figures' || !isZero(row))
    .map((row) => {
      const { version: _, ...rest } = row;
      // A final day's row that is written again calls itself restated: that depends on when it was flushed, too.
      if (rest.table === 'period_figures' && rest.status === 'restated')
        return plain({ ...rest, status: 'closed' });
      return plain(rest);
    })
    .sort();
}

function plain(row: object): string {
  return JSON.stringify('watermark' in row ? { ...row, watermark: null } : row);
}

function isZero(row: Extract<FigureRow, { table: 'window_figures' }>): boolean {
  const { visitors, active, active_related, visitors_related, capital, orders } = row;
  const { gmv_gross_minor, refunds_minor } = row;
  return [
    visitors,
    active,
    active_related,
    visitors_related,
    capital,
    orders,
    gmv_gross_minor,
    refunds_minor,
  ].every((figure) => figure === 0);
}

/** The bytes of every state of a partition, by key. The partition must not be open. */
export function storedStates(store: StateStore, partition: number): ReadonlyMap<string, string> {
  const open = store.open(partition);
  try {
    return new Map([...open.states()].map(([key, value]) => [key, value.toString('latin1')]));
  } finally {
    open.close();
  }
}
