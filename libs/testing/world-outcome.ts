/** What a run has left behind, in a form that two runs can be compared by. */
import type { FigureRow, StateStore } from '#pipeline';
import type { RecordingFigureSink } from './recording-figure-sink.js';

/** A row as text, without the version and watermark: when it was flushed does not matter. */
export type PlainRow = string;

const TABLES = ['window_figures', 'period_figures', 'persons', 'window_heartbeats', 'late_events'] as const;

/**
 * All rows that say something: one of zeros says the same as none. A channel that was linked and, by a later
 * record of the same id, never was, leaves one in one order of arrival and none in the other. Sorted.
 */
export function figureRows(sink: RecordingFigureSink): readonly PlainRow[] {
  return TABLES.flatMap((table) => sink.rows<FigureRow['table']>(table))
    .filter((row) => !isZero(row))
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

function isZero(row: FigureRow): boolean {
  if (row.table === 'window_figures') {
    const { visitors, active, active_related, visitors_related, capital, orders, buyers } = row;
    const money = [buyers, row.capital_reachable, row.gmv_gross_minor, row.refunds_minor];
    return [visitors, active, active_related, visitors_related, capital, orders, ...money].every(isNought);
  }
  if (row.table === 'period_figures') {
    const { capital, capital_base, new_relations, lost_relations, orders, deepened, deepened_cohort } = row;
    const counts = [capital, capital_base, new_relations, lost_relations, orders, deepened, deepened_cohort];
    return [...counts, row.gmv_gross_minor, row.refunds_minor, ...row.tiers].every(isNought);
  }
  return false;
}

const isNought = (figure: number): boolean => figure === 0;

/** The bytes of every state of a partition, by key. The partition must not be open. */
export function storedStates(store: StateStore, partition: number): ReadonlyMap<string, string> {
  const open = store.open(partition);
  try {
    return new Map([...open.states()].map(([key, value]) => [key, value.toString('latin1')]));
  } finally {
    open.close();
  }
}
