/** The period figures of closed days from the raw facts, as rows have them: by partition and channel. */
import { ALL_CHANNELS, type Scheme } from '#domain';
import type { ClickHouse } from '../clickhouse.js';
import { DayFlows, type FlowPlace } from './day-flows.js';
import { NO_PERIOD_COUNTS, type PeriodCounts, type StandingCounts } from './period-counts.js';
import { personsOf } from './persons-of.js';
import { schemeDays, type ClosedDay } from './scheme-days.js';
import { daysAtOnce, standingsAt } from './standings.js';

export interface DaysQuery {
  readonly brand: string;
  readonly scheme: Scheme;
  readonly refundHorizonMs: number;
  /** Default: all there are. */
  readonly facts?: string;
}

export interface RecountedDay extends FlowPlace {
  readonly counts: PeriodCounts;
}

/** Days are counted some at a time, when the first of them is asked for. */
export class DayRecount {
  /** Of the days counted last. */
  private standings: ReadonlyMap<string, ReadonlyMap<number, StandingCounts>> = new Map();

  private constructor(
    private readonly clickhouse: ClickHouse,
    private readonly query: DaysQuery,
    private readonly days: readonly ClosedDay[],
    private readonly atOnce: number,
    private readonly flows: DayFlows,
  ) {}

  /** @param days   that will be asked for, in this order */
  static async of(clickhouse: ClickHouse, query: DaysQuery, days: readonly ClosedDay[]): Promise<DayRecount> {
    const { brand, scheme, facts } = query;
    const until = Math.max(0, ...days.map(({ close }) => close));
    const flows = await DayFlows.count(clickhouse, {
      ...{ brand, zone: scheme.zone, until },
      ...(facts === undefined ? {} : { facts }),
    });
    const atOnce = days.length > 1 ? daysAtOnce(await personsOf(clickhouse, brand)) : 1;
    return new DayRecount(clickhouse, query, days, atOnce, flows);
  }

  /** Of places without anything so far there may be nothing. @throws RangeError   none of the days */
  async at(day: string): Promise<readonly RecountedDay[]> {
    const standings = await this.standingsOn(day);
    const { start } = schemeDays(this.query.scheme, day);
    const known = new Set(
      this.flows.places.filter(({ channel }) => channel === ALL_CHANNELS).map(({ partition }) => partition),
    );
    // Somebody may be known without ever having had a link or paid.
    const others = [...standings.keys()].filter((partition) => !known.has(partition));
    const places = [
      ...this.flows.places,
      ...others.map((partition) => ({ partition, channel: ALL_CHANNELS })),
    ];
    return places.map(({ partition, channel }) => ({
      ...{ partition, channel },
      counts: {
        ...NO_PERIOD_COUNTS,
        ...this.flows.at({ partition, channel }, day, start),
        ...(channel === ALL_CHANNELS ? standings.get(partition) : undefined),
      },
    }));
  }

  private async standingsOn(day: string): Promise<ReadonlyMap<number, StandingCounts>> {
    const counted = this.standings.get(day);
    if (counted !== undefined) return counted;
    const first = this.days.findIndex((one) => one.day === day);
    if (first < 0) throw new RangeError(`${day} is none of the days to recount`);
    const days = this.days.slice(first, first + this.atOnce);
    this.standings = await standingsAt(this.clickhouse, { ...this.query, days });
    return this.standings.get(day) ?? new Map<number, StandingCounts>();
  }
}
