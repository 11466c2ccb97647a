import type { ClickHouse } from '../clickhouse.js';
import type { StoredRestatement } from '../queries/restatements.js';
import { ClickHouseFigureSink } from '../sinks/figure-sink.js';
import { RestatementSink } from '../sinks/restatement-sink.js';
import type { RestatementPlan } from './plan-restatement.js';

/** Who asks for it. */
export interface RestatementCause extends Pick<StoredRestatement, 'id' | 'at' | 'by' | 'reason' | 'build'> {
  /** Told as rows are written. */
  readonly onProgress?: (done: number, of: number) => void;
}

const ROWS_AT_ONCE = 10_000;

/**
 * Writes the rows of a plan, and the entry of the audit before and after them; nothing where nothing changes. Cut
 * short, it is whole once the same period is planned and restated again.
 */
export async function restate(
  clickhouse: ClickHouse,
  { brand, channel }: { readonly brand: string; readonly channel: string | null },
  plan: RestatementPlan,
  { onProgress, ...cause }: RestatementCause,
): Promise<void> {
  const { rows } = plan;
  if (rows.length === 0) return;
  const audit = new RestatementSink(clickhouse);
  const entry = {
    ...{ ...cause, brand, channel: channel ?? '', ...plan.restated },
    ...{ ends: plan.ends, endsChanged: plan.endsChanged, rows: rows.length },
    changes: JSON.stringify(plan.changes),
    logPositions: JSON.stringify(Object.fromEntries(plan.positions)),
    generation: plan.generation,
  };
  await audit.write({ ...entry, state: 'begun' });
  const figures = new ClickHouseFigureSink(clickhouse);
  for (let done = 0; done < rows.length; done += ROWS_AT_ONCE) {
    onProgress?.(done, rows.length);
    await figures.write(rows.slice(done, done + ROWS_AT_ONCE));
  }
  await audit.write({ ...entry, state: 'done' });
}
