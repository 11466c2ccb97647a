/** Recorded rows to touchpoints as intake would admit them, and what has been seen of them so far. */
import {
  admit,
  type AdmissionLimits,
  type AdmissionReason,
  type Origin,
  type SourcePosition,
  type SourceTouchpoint,
  type Touchpoint,
  type TouchpointDetail,
} from '#domain';
import { parseCanonical } from './canonical-touchpoint.js';
import { rowId, type RecordedRow } from './recorded-row.js';
import { joinOfBuyer, orderOfRow, type RowContext } from './row-touchpoints.js';
import type { MembersRule } from './replay-options.js';

export interface AcceptedRow {
  readonly type: 'touchpoint';
  readonly at: number;
  /** As a producer would have sent it; persons as in the log. */
  readonly event: SourceTouchpoint;
  readonly touchpoint: Touchpoint;
  readonly detail: TouchpointDetail;
  readonly source: SourcePosition;
}

export interface RefusedRow {
  readonly type: 'reject';
  readonly at: number;
  readonly reason: AdmissionReason;
  readonly detail: string;
  readonly source: SourcePosition;
  /** The touchpoint that was refused, as JSON; persons as in the log. */
  readonly content: string;
}

export interface JudgeSettings {
  readonly brand: string;
  readonly currency: string;
  readonly members: MembersRule;
  readonly sourceNames: readonly string[];
  readonly origin: Exclude<Origin, 'LIVE'>;
  readonly limits: AdmissionLimits;
  readonly pseudonymise: (event: SourceTouchpoint) => SourceTouchpoint;
  /** When a record of this event time comes to the log, ms. */
  readonly arrivedAt: (occurredAt: number) => number;
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
  /** The latest event, ms. */
  readonly lastAt: number | null;
}

/** Rows that a report shows per reason. */
const EXAMPLES_MAX = 5;

export class RowJudge {
  /** Memory: an id per person and per guest's order, nothing per row. */
  private readonly persons = new Set<string>();
  private readonly buyers = new Set<string>();
  private readonly guests = new Set<string>();
  private readonly rejected = new Map<AdmissionReason, AdmissionRejects>();
  private accepted = 0;
  private guestRows = 0;
  private lastAt: number | null = null;

  constructor(private readonly settings: JudgeSettings) {}

  /** The row itself, behind the join that it also stands for (`--members buyers`). */
  judge(row: RecordedRow): readonly (AcceptedRow | RefusedRow)[] {
    const { brand, currency, members, sourceNames, origin, limits } = this.settings;
    const sourceName = sourceNames[row.source] ?? '';
    const context = { brand, currency, sourceName, origin };
    const source = { topic: `${origin.toLowerCase()}:${sourceName}`, partition: 0, offset: row.row };
    const judged = this.admitted(eventOf(row, context), source);
    if (judged.type === 'reject') {
      this.countReject(judged.reason, rowId(sourceName, row.row));
      return [judged];
    }
    this.count(judged.touchpoint);
    const person = row.order?.kind === 'PURCHASE' && members === 'buyers' ? row.order.person : null;
    if (person === null || this.buyers.has(person)) return [judged];
    remember(this.buyers, person);
    // The id holds the person as the log does: a pseudonym where there is one.
    const join = joinOfBuyer(person, judged.touchpoint.person, row, context, limits.idLengthMax);
    return [this.admitted(join, source), judged];
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

  private admitted(event: SourceTouchpoint, source: SourcePosition): AcceptedRow | RefusedRow {
    const known = this.settings.pseudonymise(event);
    const at = known.occurredAt;
    const admission = admit(
      known,
      { ...source, arrivedAt: this.settings.arrivedAt(at) },
      this.settings.limits,
    );
    if (admission.ok) {
      const { touchpoint, detail } = admission;
      return { type: 'touchpoint', at, event: known, touchpoint, detail, source };
    }
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
    if (this.lastAt === null || touchpoint.at > this.lastAt) this.lastAt = touchpoint.at;
    if (!touchpoint.guest) {
      remember(this.persons, touchpoint.person);
      return;
    }
    this.guestRows++;
    remember(this.guests, touchpoint.person);
  }
}

function eventOf(row: RecordedRow, context: RowContext): SourceTouchpoint {
  if (row.order !== null) return orderOfRow(row.order, row.at, row.row, context);
  const eventId = rowId(context.sourceName, row.row);
  const parsed = parseCanonical(row.canonical ?? '', {
    brand: context.brand,
    eventId,
    origin: context.origin,
  });
  if (!parsed.ok) throw new Error(`${eventId} was a touchpoint when it was read: ${parsed.detail}`);
  return parsed.event;
}

/** Keeps a copy: a piece of a line would hold on to the whole stretch of the file that it was cut from. */
function remember(ids: Set<string>, id: string): void {
  if (!ids.has(id)) ids.add(Buffer.from(id, 'utf8').toString('utf8'));
}
