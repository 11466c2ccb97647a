/** The ticks of recorded time: one at every due edge and one per started hour with events, none for empty time. */
import { dueEdges, type Rules } from '#domain';

const HOUR_MS = 3_600_000;

export class ReplayTicks {
  /** Edges in (last, edgesTo], ascending, not yet ticked. */
  private edges: number[] = [];
  private edgesTo = -Infinity;

  /** @param last   the log's last tick, ms; null for a log without any */
  constructor(
    private readonly rules: Rules,
    private last: number | null,
  ) {}

  /** The ticks that stand before an event at `at`; instants never shrink from call to call. */
  before(at: number): readonly number[] {
    const hour = Math.floor(at / HOUR_MS) * HOUR_MS;
    if (this.last === null) return this.move([hour]);
    // Edges are looked up once per hour of events; within it one is hardly ever due.
    if (at > this.edgesTo) this.lookAhead(hour + HOUR_MS - 1);
    const due = this.takeEdges(at);
    if (hour <= this.last || due.includes(hour)) return this.move(due);
    return this.move([...due, hour].sort((left, right) => left - right));
  }

  /** The ticks that close a replay whose last event was at `at`. */
  after(at: number): readonly number[] {
    const end = at + 1;
    if (this.last === null || end <= this.last) return [];
    if (end > this.edgesTo) this.lookAhead(end);
    const due = this.takeEdges(end);
    return this.move(due.at(-1) === end ? due : [...due, end]);
  }

  private lookAhead(to: number): void {
    const from = Math.max(this.edgesTo, this.last ?? to);
    // A resumed replay walks over rows that lie before the log's last tick: nothing is due for them.
    if (to > from) this.edges.push(...dueEdges(this.rules, from, to));
    this.edgesTo = to;
  }

  private takeEdges(to: number): number[] {
    if ((this.edges[0] ?? Infinity) > to) return [];
    const due = this.edges.filter((edge) => edge <= to);
    this.edges = this.edges.slice(due.length);
    return due;
  }

  private move(ticks: readonly number[]): readonly number[] {
    this.last = ticks.at(-1) ?? this.last;
    return ticks;
  }
}
