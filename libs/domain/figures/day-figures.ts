import { compileRules, type CompiledRules, type CompiledScheme } from '../compiled-rules.js';
import { DayCalendar } from '../day-calendar.js';
import { ALL_CHANNELS } from '../events.js';
import type { Rules } from '../rules.js';
import type { ChannelLinks, LinkView, Span } from '../window-port.js';
import { ChannelDays, type ChannelDaysJson } from './channel-days.js';
import { DayTable, RunningTable, type DayTableJson } from './day-table.js';
import {
  STANDING_CELLS,
  type DayChange,
  type LinksShift,
  type MoneyShift,
  type StandingShift,
} from './figure-changes.js';
import { periodRow, rowDays, type PeriodFigure } from './period-row.js';

export interface DayFiguresJson {
  readonly watermark: number;
  readonly zones: readonly string[];
  /** First day of a scheme that came while the log was running; its stocks say nothing about earlier days. */
  readonly since: readonly (readonly [schemeId: string, day: number])[];
  readonly channels: readonly (readonly [brand: string, zone: string, channel: string, ChannelDaysJson])[];
  readonly stocks: readonly (readonly [brand: string, schemeId: string, DayTableJson])[];
}

/** The stocks of one (brand, scheme) at the close of each day. */
interface Stocks {
  readonly table: RunningTable;
  dirtyFrom: number;
}

interface Brand {
  /** By zone number. */
  readonly zones: Map<string, ChannelDays>[];
  readonly stocks: Map<string, Stocks>;
}

/** Stocks and flows by local day, of one partition. Each is a sum over persons, so partitions add up. */
export class DayFigures {
  private rules: CompiledRules = compileRules(null);
  private watermark = 0;
  private calendars: DayCalendar[] = [];
  private readonly since = new Map<string, number>();
  private readonly brands = new Map<string, Brand>();

  apply(changes: readonly DayChange[]): void {
    for (const change of changes) {
      switch (change.type) {
        case 'money':
          this.addMoney(change);
          break;
        case 'links':
          this.addLinks(change);
          break;
        case 'standing':
          this.addStanding(change);
          break;
        case 'watermark':
          this.advance(change.at);
          break;
        case 'rules':
          this.setRules(change.rules);
          break;
      }
    }
  }

  /** Rows that have changed since the last call, and those of days that have begun or closed. */
  takeRows(): readonly PeriodFigure[] {
    const rows: PeriodFigure[] = [];
    for (const [name, brand] of this.brands) {
      brand.zones.forEach((channels, zone) => {
        const calendar = this.calendars[zone];
        if (calendar === undefined) return;
        for (const [channel, days] of channels) {
          if (channel === ALL_CHANNELS) this.touchForStocks(brand, days, calendar.zone);
          const dirty = days.takeDirty(this.lastDay(days, calendar));
          for (const scheme of this.schemesIn(name, calendar.zone)) {
            rows.push(...this.rowsOf(name, brand, scheme, channel, days, dirty));
          }
          const closed = calendar.dayOf(this.watermark) - 1;
          if (days.closedTo === null || closed > days.closedTo) days.closedTo = closed;
        }
      });
      for (const stocks of brand.stocks.values()) stocks.dirtyFrom = Infinity;
    }
    return rows;
  }

  /** All rows there are. */
  allRows(): readonly PeriodFigure[] {
    const rows: PeriodFigure[] = [];
    for (const [name, brand] of this.brands) {
      brand.zones.forEach((channels, zone) => {
        const calendar = this.calendars[zone];
        if (calendar === undefined) return;
        for (const [channel, days] of channels) {
          const last = this.lastDay(days, calendar);
          const all: number[] = [];
          for (let day = days.firstDay; day <= last; day++) all.push(day);
          for (const scheme of this.schemesIn(name, calendar.zone)) {
            rows.push(...this.rowsOf(name, brand, scheme, channel, days, all));
          }
        }
      });
    }
    return rows;
  }

  toJson(): DayFiguresJson {
    const channels: DayFiguresJson['channels'][number][] = [];
    const stocks: DayFiguresJson['stocks'][number][] = [];
    for (const [name, brand] of this.brands) {
      brand.zones.forEach((of, zone) => {
        const zoneName = this.calendars[zone]?.zone ?? '';
        for (const [channel, days] of of) channels.push([name, zoneName, channel, days.toJson()]);
      });
      for (const [schemeId, { table }] of brand.stocks) stocks.push([name, schemeId, table.toJson()]);
    }
    const zones = this.calendars.map(({ zone }) => zone);
    return { watermark: this.watermark, zones, since: [...this.since], channels, stocks };
  }

  static fromJson(json: DayFiguresJson, rules: Rules | null): DayFigures {
    const figures = new DayFigures();
    figures.rules = compileRules(rules);
    figures.watermark = json.watermark;
    figures.calendars = json.zones.map((zone) => DayCalendar.of(zone));
    for (const [schemeId, day] of json.since) figures.since.set(schemeId, day);
    for (const [name, zone, channel, days] of json.channels) {
      const channels = figures.channelsOf(figures.brandOf(name), json.zones.indexOf(zone));
      channels.set(channel, ChannelDays.fromJson(days));
    }
    for (const [name, schemeId, table] of json.stocks) {
      const running = new RunningTable(STANDING_CELLS, DayTable.fromJson(STANDING_CELLS, table));
      figures.brandOf(name).stocks.set(schemeId, { table: running, dirtyFrom: Infinity });
    }
    return figures;
  }

  private rowsOf(
    name: string,
    brand: Brand,
    scheme: CompiledScheme,
    channel: string,
    days: ChannelDays,
    dirty: readonly number[],
  ): PeriodFigure[] {
    const since = this.since.get(scheme.scheme.id) ?? -Infinity;
    const stocks = channel === ALL_CHANNELS ? brand.stocks.get(scheme.scheme.id)?.table : undefined;
    const at = { watermark: this.watermark, latenessMs: this.rules.rules.stateLatenessMs };
    return rowDays(scheme, dirty, since).map((day) =>
      periodRow({ brand: name, channel, scheme, day, days, stocks, ...at }),
    );
  }

  private schemesIn(brand: string, zone: string): readonly CompiledScheme[] {
    return this.rules.schemesOf(brand).filter(({ calendar }) => calendar.zone === zone);
  }

  /** The rows of `all` carry the stocks of every scheme of the zone. */
  private touchForStocks(brand: Brand, days: ChannelDays, zone: string): void {
    for (const { scheme, calendar } of this.rules.schemes) {
      const stocks = calendar.zone === zone ? brand.stocks.get(scheme.id) : undefined;
      if (stocks !== undefined) days.touchFrom(stocks.dirtyFrom);
    }
  }

  /** Events may run ahead of the watermark into a day that no tick has begun yet. */
  private lastDay(days: ChannelDays, calendar: DayCalendar): number {
    const ticked = this.watermark === 0 ? -Infinity : calendar.dayOf(this.watermark);
    return Math.max(ticked, days.lastDay);
  }

  private addMoney({ brand, channel, at, orders, grossMinor, refundMinor, zone }: MoneyShift): void {
    const own = this.brandOf(brand);
    for (const [number, calendar] of this.calendars.entries()) {
      if (zone !== null && zone !== calendar.zone) continue;
      const day = calendar.dayOf(at);
      const channels = this.channelsOf(own, number);
      daysOf(channels, ALL_CHANNELS).addMoney(day, orders, grossMinor, refundMinor);
      daysOf(channels, channel).addMoney(day, orders, grossMinor, refundMinor);
    }
  }

  private addLinks({ brand, before, after, zone }: LinksShift): void {
    const own = this.brandOf(brand);
    for (const [number, calendar] of this.calendars.entries()) {
      if (zone !== null && zone !== calendar.zone) continue;
      const channels = this.channelsOf(own, number);
      replaceSpans(daysOf(channels, ALL_CHANNELS), before.any, after.any, calendar);
      for (const channel of channelsOfBoth(before, after)) {
        const spans = spansOf(before.byChannel, channel);
        replaceSpans(daysOf(channels, channel), spans, spansOf(after.byChannel, channel), calendar);
      }
    }
  }

  private addStanding({ brand, schemeId, day, difference }: StandingShift): void {
    const own = this.brandOf(brand);
    let stocks = own.stocks.get(schemeId);
    if (stocks === undefined) {
      stocks = { table: new RunningTable(STANDING_CELLS), dirtyFrom: Infinity };
      own.stocks.set(schemeId, stocks);
    }
    for (let cell = 0; cell < STANDING_CELLS; cell++) {
      const value = difference[cell] ?? 0;
      if (value !== 0) stocks.table.add(day, cell, value);
    }
    if (day < stocks.dirtyFrom) stocks.dirtyFrom = day;
    // The rows of `all` carry the stocks, also where nobody has ever had a link or paid.
    const scheme = this.rules.schemes.find((one) => one.scheme.id === schemeId);
    const zone = scheme === undefined ? -1 : this.calendars.indexOf(scheme.calendar);
    if (zone >= 0) daysOf(this.channelsOf(own, zone), ALL_CHANNELS).touch(day);
  }

  private advance(watermark: number): void {
    for (const [zone, calendar] of this.calendars.entries()) {
      // A day closes and another begins: rows for all that is there, though nothing may have happened.
      const day = this.watermark === 0 ? -Infinity : calendar.dayOf(this.watermark);
      if (calendar.dayOf(watermark) !== day) this.touchFrom(day, zone);
    }
    this.watermark = watermark;
  }

  private setRules(rules: Rules): void {
    const former = new Set(this.rules.schemes.map(({ scheme }) => scheme.id));
    const isFirst = this.calendars.length === 0;
    this.rules = compileRules(rules);
    for (const calendar of this.rules.calendars) {
      if (!this.calendars.includes(calendar)) this.calendars.push(calendar);
    }
    for (const { scheme, calendar } of this.rules.schemes) {
      if (isFirst || former.has(scheme.id)) continue;
      const today = this.watermark === 0 ? -Infinity : calendar.dayOf(this.watermark);
      if (this.watermark !== 0) this.since.set(scheme.id, today);
      // A new scheme has rows at once, though nothing may happen on what is left of the day.
      this.touchFrom(today, this.calendars.indexOf(calendar));
    }
  }

  private touchFrom(day: number, zone: number): void {
    for (const { zones } of this.brands.values()) {
      for (const days of zones[zone]?.values() ?? []) days.touchFrom(day);
    }
  }

  private brandOf(name: string): Brand {
    // Without rules in the log the default ones hold, and so do their zones.
    if (this.calendars.length === 0) this.calendars = [...this.rules.calendars];
    let brand = this.brands.get(name);
    if (brand === undefined) {
      brand = { zones: [], stocks: new Map() };
      this.brands.set(name, brand);
    }
    return brand;
  }

  private channelsOf(brand: Brand, zone: number): Map<string, ChannelDays> {
    let channels = brand.zones[zone];
    if (channels === undefined) {
      // Zones come in order, so none is left out.
      for (let number = brand.zones.length; number <= zone; number++) brand.zones.push(new Map());
      channels = brand.zones[zone] ?? new Map<string, ChannelDays>();
    }
    return channels;
  }
}

function daysOf(channels: Map<string, ChannelDays>, channel: string): ChannelDays {
  let days = channels.get(channel);
  if (days === undefined) {
    days = new ChannelDays();
    channels.set(channel, days);
  }
  return days;
}

function replaceSpans(
  days: ChannelDays,
  before: readonly Span[],
  after: readonly Span[],
  calendar: DayCalendar,
): void {
  // Most of a person's spans stay: only what differs is counted again.
  days.addSpans(
    before.filter((span) => !includes(after, span)),
    -1,
    calendar,
  );
  days.addSpans(
    after.filter((span) => !includes(before, span)),
    1,
    calendar,
  );
}

function includes(spans: readonly Span[], { from, to }: Span): boolean {
  return spans.some((span) => span.from === from && span.to === to);
}

function spansOf(links: readonly ChannelLinks[], channel: string): readonly Span[] {
  return links.find((one) => one.channel === channel)?.spans ?? [];
}

function channelsOfBoth(before: LinkView, after: LinkView): ReadonlySet<string> {
  return new Set([...before.byChannel, ...after.byChannel].map(({ channel }) => channel));
}
