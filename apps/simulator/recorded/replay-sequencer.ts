/**
 * Rows in time order to entries of the relationship log: bookkeeping over what has been seen, so that the same rows
 * always give the same entries, also when a resumed replay walks over the finished ones again.
 */
import {
  admit,
  type AdmissionLimits,
  type AdmissionReason,
  type Rules,
  type SourcePosition,
  type SourceTouchpoint,
  type Touchpoint,
  type TouchpointDetail,
} from '#domain';
import { parseCanonical } from './canonical-touchpoint.js';
import { rowId, type RecordedRow } from './recorded-row.js';
import { ReplayTicks } from './replay-ticks.js';
import { type MembersRule } from './replay-options.js';
import { joinOfBuyer, orderOfRow, type RowContext } from './row-touchpoints.js';

export type Sequenced =
  /** In every partition. */
  | { readonly type: 'tick'; readonly at: number }
  | {
      readonly type: 'touchpoint';
      readonly at: number;
      readonly touchpoint: Touchpoint;
      readonly detail: TouchpointDetail;
      readonly source: SourcePosition;
    }
  | {
      readonly type: 'reject';
      readonly at: number;
      readonly reason: AdmissionReason;
      readonly detail: string;
      readonly source: SourcePosition;
      /** The touchpoint that was refused, as JSON; persons as in the log. */
      readonly content: string;
    };

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

export interface AdmissionRejects {
  count: number;
  /** Ids of the first rows. */
  readonly examples: string[];
}

export interface SequenceCounts {
  readonly accepted: number;
  readonly rejected: ReadonlyMap<AdmissionReason, AdmissionRejects>;
  /** Rows of guests. */
  readonly guestRows: number;
  readonly guestOrders: number;
  readonly persons: number;
  readonly buyers: number;
  readonly lastAt: number | null;
}

/** Rows that a report shows per reason. */
const EXAMPLES_MAX = 5;

export class ReplaySequencer {
  private readonly ticks: ReplayTicks;
  /** Memory: an id per person and per guest's order of the replay, nothing per row. */
  private readonly persons = new Set<string>();
  private readonly buyers = new Set<string>();
  private readonly guests = new Set<string>();
  private readonly rejected = new Map<AdmissionReason, AdmissionRejects>();
  private accepted = 0;
  private guestRows = 0;
  private lastAt: number | null = null;

  constructor(private readonly settings: SequencerSettings) {
    this.ticks = new ReplayTicks(settings.rules, settings.lastTickAt);
  }

  /** What one row adds to the log, in order. */
  next(row: RecordedRow): readonly Sequenced[] {
    const { brand, currency, members, sourceNames, limits } = this.settings;
    const sourceName = sourceNames[row.source] ?? '';
    const context = { brand, currency, sourceName };
    const source = { topic: `replay:${sourceName}`, partition: 0, offset: row.row };
    const judged = this.judge(this.eventOf(row, context), source);
    if (judged.type === 'reject') {
      this.countReject(judged.reason, rowId(sourceName, row.row));
      return [judged];
    }
    this.count(judged.touchpoint);
    const ticks = this.ticks.before(judged.at).map((at): Sequenced => ({ type: 'tick', at }));
    const person = row.order?.kind === 'PURCHASE' && members === 'buyers' ? row.order.person : null;
    if (person === null || this.buyers.has(person)) return ticks.length === 0 ? [judged] : [...ticks, judged];
    remember(this.buyers, person);
    // The id holds the person as the log does: a pseudonym where there is one.
    const join = joinOfBuyer(person, judged.touchpoint.person, row, context, limits.idLengthMax);
    return [...ticks, this.judge(join, source), judged];
  }

  /** What closes the replay: time moves past the last event. */
  end(): readonly Sequenced[] {
    if (this.lastAt === null) return [];
    return this.ticks.after(this.lastAt).map((at) => ({ type: 'tick', at }));
  }

  counts(): SequenceCounts {
    return {
      accepted: this.accepted,
      rejected: this.rejected,
      guestRows: this.guestRows,
      guestOrders: this.guests.size,
      persons: this.persons.size,
      buyers: this.buyers.size,
      lastAt: this.lastAt,
    };
  }

  private eventOf(row: RecordedRow, context: RowContext): SourceTouchpoint {
    if (row.order !== null) return orderOfRow(row.order, row.at, row.row, context);
    const defaults = { brand: context.brand, eventId: rowId(context.sourceName, row.row) };
    const parsed = parseCanonical(row.canonical ?? '', defaults);
    if (!parsed.ok)
      throw new Error(`${defaults.eventId} was a touchpoint when it was read: ${parsed.detail}`);
    return parsed.event;
  }

  private judge(event: SourceTouchpoint, source: SourcePosition): Exclude<Sequenced, { type: 'tick' }> {
    const known = this.settings.pseudonymise(event);
    // Recorded data arrives when it happened, unless that is yet to come.
    const arrivedAt = Math.min(known.occurredAt, this.settings.now());
    const admission = admit(known, { ...source, arrivedAt }, this.settings.limits);
    const at = known.occurredAt;
    if (admission.ok)
      return { type: 'touchpoint', at, touchpoint: admission.touchpoint, detail: admission.detail, source };
    const { reason, detail } = admission;
    return { type: 'reject', at, reason, detail, source, content: JSON.stringify(known) };
  }

  private countReject(reason: AdmissionReason, id: string): void {
    const known = this.rejected.get(reason) ?? { count: 0, examples: [] };
    known.count++;
    if (known.examples.length < EXAMPLES_MAX) known.examples.push(id);
    this.rejected.set(reason, known);
  }

  private count(touchpoint: Touchpoint): void {
    this.accepted++;
    this.lastAt = touchpoint.at;
    if (!touchpoint.guest) {
      remember(this.persons, touchpoint.person);
      return;
    }
    this.guestRows++;
    remember(this.guests, touchpoint.person);
  }
}

/** Keeps a copy: a piece of a line would hold on to the whole stretch of the file that it was cut from. */
function remember(ids: Set<string>, id: string): void {
  if (!ids.has(id)) ids.add(Buffer.from(id, 'utf8').toString('utf8'));
}
