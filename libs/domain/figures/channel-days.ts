import type { DayCalendar } from '../day-calendar.js';
import type { Span } from '../window-port.js';
import { DayTable, RunningTable, type DayTableJson } from './day-table.js';

/** Columns of what happened on a day. */
export const FLOW = { newRelations: 0, lostRelations: 1, orders: 2, gross: 3, refunds: 4 } as const;
const FLOW_COLUMNS = 5;

export type ChannelDaysJson = readonly [flows: DayTableJson, capital: DayTableJson, closedTo: number | null];

/**
 * The day figures of one (brand, channel) in one zone. Capital at the close of a day is the sum of the days'
 * new less lost relations: a live link [f, t) counts at the close of the days from that of f on, up to that of t.
 */
export class ChannelDays {
  /** Last day whose row was taken as closed; null before the first. */
  closedTo: number | null = null;
  private readonly dirty = new Set<number>();
  private dirtyFrom = Infinity;

  constructor(
    private readonly flows = new DayTable(FLOW_COLUMNS),
    private readonly capital = new RunningTable(1),
  ) {}

  static fromJson([flows, capital, closedTo]: ChannelDaysJson): ChannelDays {
    const days = new ChannelDays(
      DayTable.fromJson(FLOW_COLUMNS, flows),
      new RunningTable(1, DayTable.fromJson(1, capital)),
    );
    days.closedTo = closedTo;
    return days;
  }

  toJson(): ChannelDaysJson {
    return [this.flows.toJson(), this.capital.toJson(), this.closedTo];
  }

  /** First day with a figure; Infinity when there is none. */
  get firstDay(): number {
    return this.flows.isEmpty ? Infinity : this.flows.firstDay;
  }

  get lastDay(): number {
    return this.flows.isEmpty ? -Infinity : this.flows.endDay - 1;
  }

  flow(day: number, column: number): number {
    return this.flows.at(day, column);
  }

  /** Persons with a live link at the close of `day`. */
  capitalAt(day: number): number {
    return this.capital.at(day, 0);
  }

  addMoney(day: number, orders: number, gross: number, refunds: number): void {
    this.touch(day);
    if (orders !== 0) this.flows.add(day, FLOW.orders, orders);
    if (gross !== 0) this.flows.add(day, FLOW.gross, gross);
    if (refunds !== 0) this.flows.add(day, FLOW.refunds, refunds);
  }

  /** Adds (`value` 1) or takes back (−1) one person's relation. */
  addSpans(spans: readonly Span[], value: 1 | -1, calendar: DayCalendar): void {
    for (const { from, to } of spans) {
      const first = calendar.dayOf(from);
      this.flows.add(first, FLOW.newRelations, value);
      this.capital.add(first, 0, value);
      this.touchFrom(first);
      if (to === Infinity) continue;
      const last = calendar.dayOf(to);
      this.flows.add(last, FLOW.lostRelations, value);
      this.capital.add(last, 0, -value);
    }
  }

  /** There is something on this day, be it zeros; its row is to be written. */
  touch(day: number): void {
    // Days before the first had no rows, so those in between get theirs now.
    if (day < this.firstDay) this.touchFrom(day);
    this.flows.add(day, FLOW.orders, 0);
    this.dirty.add(day);
  }

  /** Rows from `day` on are to be written again. */
  touchFrom(day: number): void {
    if (day < this.dirtyFrom) this.dirtyFrom = day;
  }

  /** Days up to `last` whose rows are to be written, ascending; they are clean afterwards. */
  takeDirty(last: number): readonly number[] {
    if (this.dirty.size === 0 && this.dirtyFrom === Infinity) return [];
    const days = new Set<number>(this.dirty);
    for (let day = Math.max(this.dirtyFrom, this.firstDay); day <= last; day++) days.add(day);
    this.dirty.clear();
    this.dirtyFrom = Infinity;
    return [...days].sort((a, b) => a - b);
  }
}
