/**
 * Rows in time order to entries of the relationship log: bookkeeping over what has been seen, so that the same rows
 * always give the same entries, also when a resumed replay walks over the finished ones again.
 */
import type { AdmissionLimits, Rules, SourceTouchpoint } from '#domain';
import type { RecordedRow } from './recorded-row.js';
import { ReplayTicks } from './replay-ticks.js';
import type { MembersRule } from './replay-options.js';
import { RowJudge, type AcceptedRow, type RefusedRow, type SequenceCounts } from './row-judge.js';

export type Sequenced =
  /** In every partition. */
  { readonly type: 'tick'; readonly at: number } | AcceptedRow | RefusedRow;

export interface SequencerSettings {
  readonly brand: string;
  readonly currency: string;
  readonly members: MembersRule;
  readonly sourceNames: readonly string[];
  readonly rules: Rules;
  /** The log's last tick before what is to be written, ms; null for a log without any. */
  readonly lastTickAt: number | null;
  readonly limits: AdmissionLimits;
  readonly pseudonymise: (event: SourceTouchpoint) => SourceTouchpoint;
  /** Wall clock, ms: an event may not be further ahead of it than the limits say. */
  readonly now: () => number;
}

export class ReplaySequencer {
  private readonly ticks: ReplayTicks;
  private readonly rows: RowJudge;

  constructor(settings: SequencerSettings) {
    this.ticks = new ReplayTicks(settings.rules, settings.lastTickAt);
    this.rows = new RowJudge({
      ...settings,
      origin: 'REPLAY',
      // Recorded data arrives when it happened, unless that is yet to come.
      arrivedAt: (occurredAt) => Math.min(occurredAt, settings.now()),
    });
  }

  /** What one row adds to the log, in order. */
  next(row: RecordedRow): readonly Sequenced[] {
    const judged = this.rows.judge(row);
    if (judged.length === 1 && judged[0]?.type === 'reject') return judged;
    const ticks = this.ticks.before(row.at);
    return ticks.length === 0 ? judged : [...ticks.map((at): Sequenced => ({ type: 'tick', at })), ...judged];
  }

  /** What closes the replay: time moves past the last event. */
  end(): readonly Sequenced[] {
    const { lastAt } = this.counts();
    if (lastAt === null) return [];
    return this.ticks.after(lastAt).map((at) => ({ type: 'tick', at }));
  }

  counts(): SequenceCounts {
    return this.rows.counts();
  }
}
