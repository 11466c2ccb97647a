/** The period figures of closed days from the raw facts, as rows have them: by partition and channel. */
import { ALL_CHANNELS, type Scheme } from '#domain';
import { type ClickHouse } from '../clickhouse.js';
import { DayFlows, type FlowPlace } from './day-flows.js';
import { NO_PERIOD_COUNTS, type PeriodCounts } from './period-counts.js';
import { schemeDays } from './scheme-days.js';
import { standingsAt } from './standings.js';

export interface DaysQuery {
  readonly brand: string;
  readonly scheme: Scheme;
  readonly refundHorizonMs: number;
  /** Default: all there are. */
  readonly facts?: string;
}

/** One local day. */
export interface ClosedDay {
  /** `YYYY-MM-DD`. */
  readonly day: string;
  /** First instant of the day after, ms. */
  readonly close: number;
}

export interface RecountedDay extends FlowPlace {
  readonly counts: PeriodCounts;
}

export class DayRecount {
  private constructor(
    private readonly clickhouse: ClickHouse,
    private readonly query: DaysQuery,
    private readonly flows: DayFlows,
  ) {}

  /** @param until   close of the last day that will be asked for, ms */
  static async until(clickhouse: ClickHouse, query: DaysQuery, until: number): Promise<DayRecount> {
    const { brand, scheme, facts } = query;
    const flows = await DayFlows.count(clickhouse, {
      ...{ brand, zone: scheme.zone, until },
      ...(facts === undefined ? {} : { facts }),
    });
    return new DayRecount(clickhouse, query, flows);
  }

  /** Of places without anything so far there may be nothing. */
  async at({ day, close }: ClosedDay): Promise<readonly RecountedDay[]> {
    const { scheme } = this.query;
    const standings = await standingsAt(this.clickhouse, { ...this.query, day, close });
    const { start } = schemeDays(scheme, day);
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
}
