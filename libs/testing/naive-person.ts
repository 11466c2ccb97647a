/**
 * A person's figures straight from the records, by the words of FAST+ and as slowly as it takes: the second opinion
 * on the fold. Shares no code with it but the types.
 */
import type { OrderPaid, OrderRefunded, LinkChanged, Rules, Scheme, Touchpoint } from '#domain';

interface Period {
  readonly from: string;
  readonly to: string;
}

export interface NaiveSummary {
  readonly tier: number;
  readonly days: readonly string[];
  readonly orders: number;
  readonly ownValue: number;
  readonly isMember: boolean;
}

interface ZoneDates {
  readonly format: Intl.DateTimeFormat;
  /** By instant: the same few are asked for again and again, and a format is slow. */
  readonly known: Map<number, string>;
}

const zones = new Map<string, ZoneDates>();

/** `YYYY-MM-DD` of an instant in a zone. */
export function localDate(t: number, zone: string): string {
  let dates = zones.get(zone);
  if (dates === undefined) {
    const format = new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short' });
    zones.set(zone, (dates = { format, known: new Map() }));
  }
  let date = dates.known.get(t);
  if (date === undefined) dates.known.set(t, (date = dates.format.format(t)));
  return date;
}

function plusDays(date: string, days: number): string {
  return new Date(Date.parse(`${date}T00:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10);
}

function daysBetween(from: string, to: string): number {
  return (Date.parse(to) - Date.parse(from)) / 86_400_000;
}

/** Of all records with one identity the one with the smallest (time, hash). */
export function distinct<T extends Touchpoint>(
  records: readonly T[],
  identity: (record: T) => string,
): readonly T[] {
  const kept = new Map<string, T>();
  for (const record of records) {
    const other = kept.get(identity(record));
    if (
      other === undefined ||
      record.at < other.at ||
      (record.at === other.at && record.contentHash < other.contentHash)
    ) {
      kept.set(identity(record), record);
    }
  }
  return [...kept.values()];
}

export class NaivePerson {
  private readonly links: readonly LinkChanged[];
  private readonly payments: readonly OrderPaid[];
  private readonly refunds: readonly OrderRefunded[];
  private readonly liveAt = new Map<number, readonly string[]>();

  /** @param records   all of one person, in any order */
  constructor(
    records: readonly Touchpoint[],
    private readonly rules: Rules,
  ) {
    this.links = distinct(records, ({ eventId }) => eventId)
      .filter((record) => record.type === 'link')
      .sort((a, b) => a.at - b.at || (a.eventId < b.eventId ? -1 : 1));
    this.payments = distinct(
      records.filter((record) => record.type === 'orderPaid'),
      ({ orderId, lineId }) => JSON.stringify([orderId, lineId]),
    );
    this.refunds = distinct(
      records.filter((record) => record.type === 'orderRefunded'),
      ({ orderId, lineId, refundId }) =>
        JSON.stringify(orderId === null ? [refundId] : [orderId, lineId, refundId]),
    );
  }

  /** Names of the links that are live at `t`: the last switch up to `t` decides; a quit ends membership anywhere. */
  liveLinks(t: number): readonly string[] {
    const known = this.liveAt.get(t);
    if (known !== undefined) return known;
    const live = new Set<string>();
    for (const { link, channel, on, at } of this.links) {
      if (at > t) continue;
      if (on) live.add(`${link}/${channel}`);
      else if (link !== 'MEMBER') live.delete(`${link}/${channel}`);
      else for (const name of live) if (name.startsWith('MEMBER/')) live.delete(name);
    }
    const names = [...live];
    this.liveAt.set(t, names);
    return names;
  }

  /** Channels that a live link was made in. */
  liveChannels(t: number): readonly string[] {
    return this.liveLinks(t).map((name) => name.slice(name.indexOf('/') + 1));
  }

  isRelated(t: number): boolean {
    return this.liveLinks(t).length > 0;
  }

  isMember(t: number): boolean {
    return this.liveLinks(t).some((name) => name.startsWith('MEMBER/'));
  }

  private paidAsMember(at: number, scheme: Scheme): boolean {
    if (this.isMember(at)) return true;
    return this.links.some(
      ({ link, on, at: joined }) =>
        link === 'MEMBER' &&
        on &&
        Math.abs(joined - at) <= scheme.joinToleranceMs &&
        this.isMember(joined) &&
        !this.isMember(joined - 1),
    );
  }

  /** Fully refunded, going by the lines and refunds up to `t`. */
  private isCancelled(orderId: string, paidAt: number, t: number): boolean {
    const lines = this.payments.filter((line) => line.orderId === orderId && line.at <= t);
    const horizon = paidAt + this.rules.refundHorizonDays * 86_400_000;
    const refunds = this.refunds.filter(
      (one) => one.orderId === orderId && one.at >= paidAt && one.at < horizon && one.at <= t,
    );
    if (refunds.some(({ lineId, full }) => lineId === null && full)) return true;
    const paid = lines.reduce((sum, { amountMinor }) => sum + amountMinor, 0);
    const back = refunds.reduce((sum, { amountMinor }) => sum + amountMinor, 0);
    if (paid > 0 && back >= paid) return true;
    return lines.every(({ lineId, amountMinor }) => {
      const own = refunds.filter((one) => one.lineId === lineId);
      if (own.some(({ full }) => full)) return true;
      return amountMinor > 0 && own.reduce((sum, one) => sum + one.amountMinor, 0) >= amountMinor;
    });
  }

  /** Orders that are a purchase for the scheme, with their instant. */
  private purchases(
    scheme: Scheme,
  ): readonly { readonly orderId: string; readonly at: number; readonly paidAt: number }[] {
    return [...new Set(this.payments.map(({ orderId }) => orderId))].flatMap((orderId) => {
      const lines = this.payments.filter((line) => line.orderId === orderId);
      const counted = lines.filter(({ amountMinor }) => scheme.zeroOrderCounts || amountMinor > 0);
      if (counted.length === 0) return [];
      return [
        {
          orderId,
          at: Math.min(...counted.map(({ at }) => at)),
          paidAt: Math.min(...lines.map(({ at }) => at)),
        },
      ];
    });
  }

  private daysIn(scheme: Scheme, period: Period, t: number): readonly string[] {
    const days = new Set<string>();
    for (const { orderId, at, paidAt } of this.purchases(scheme)) {
      const day = localDate(at, scheme.zone);
      if (at > t || day < period.from || day >= period.to) continue;
      if (this.isCancelled(orderId, paidAt, t) || !this.paidAsMember(at, scheme)) continue;
      days.add(day);
    }
    return [...days].sort();
  }

  private tierIn(scheme: Scheme, period: Period, t: number): number {
    if (!this.isRelated(t)) return 0;
    if (!this.isMember(t)) return 1;
    return 2 + Math.min(2, this.daysIn(scheme, period, t).length);
  }

  tierAt(scheme: Scheme, t: number): number {
    return this.tierIn(scheme, countedPeriod(scheme, t), t);
  }

  /** Own value and what else is said of a person at `t`. Money is lifetime: only records up to `t` may be there. */
  summaryAt(scheme: Scheme, t: number): NaiveSummary {
    const gross = this.payments.reduce((sum, { amountMinor }) => sum + amountMinor, 0);
    const back = this.refunds.reduce((sum, { amountMinor }) => sum + amountMinor, 0);
    return {
      tier: this.tierAt(scheme, t),
      days: this.daysIn(scheme, countedPeriod(scheme, t), t),
      orders: this.purchases(scheme).length,
      ownValue: gross - back,
      isMember: this.isMember(t),
    };
  }

  /** By definition: some instant of the period up to `t` with a tier above the one come from. All instants are tried. */
  deepeningAt(scheme: Scheme, t: number): { readonly deepened: boolean; readonly cohort: boolean } {
    const none = { deepened: false, cohort: false };
    const [period, base] = conversionPeriods(scheme, t);
    const inPeriod = (at: number): boolean => {
      const day = localDate(at, scheme.zone);
      return day >= period.from && day < period.to && at <= t;
    };
    // A millisecond before and after every event, and the first instant of every local day between.
    const events = [...this.links, ...this.payments, ...this.refunds].map(({ at }) => at);
    const starts = localDayStarts(Math.min(...events, t), t, scheme.zone);
    const first = starts.find((start) => localDate(start, scheme.zone) >= period.from);
    const instants = [...events, ...starts, t].filter(inPeriod).sort((a, b) => a - b);
    const related = [...events].sort((a, b) => a - b).filter((at) => this.isRelated(at))[0];
    if (related === undefined || instants.length === 0) return none;
    const beforePeriod = (first ?? Math.min(...instants)) - 1;
    const baseTier =
      localDate(beforePeriod, scheme.zone) < period.from ? this.tierIn(scheme, base, beforePeriod) : 0;
    let from = baseTier;
    if (baseTier === 0) from = related <= beforePeriod ? 1 : this.tierAt(scheme, related);
    const deepened = instants.some((at) => this.tierAt(scheme, at) > from);
    return { deepened: deepened && related <= t, cohort: deepened && baseTier > 0 };
  }
}

const QUARTER_MS = 900_000;
const DAY_MS = 86_400_000;
const startsByDay = new Map<string, readonly number[]>();

/** Instants between the two at which a local day begins, and some before. */
function localDayStarts(from: number, to: number, zone: string): readonly number[] {
  const starts: number[] = [];
  for (let day = Math.floor(from / DAY_MS) - 1; day * DAY_MS <= to; day++) {
    const key = `${zone} ${day}`;
    let known = startsByDay.get(key);
    if (known === undefined) {
      const quarters = Array.from({ length: 96 }, (_, i) => day * DAY_MS + i * QUARTER_MS);
      // Changes of date lie on quarter hours in every zone of our time.
      known = quarters.filter((t) => localDate(t, zone) !== localDate(t - 1, zone));
      startsByDay.set(key, known);
    }
    starts.push(...known);
  }
  return starts.filter((start) => start <= to);
}

function countedPeriod({ period, zone }: Scheme, t: number): Period {
  const today = localDate(t, zone);
  const tomorrow = plusDays(today, 1);
  switch (period.kind) {
    case 'rolling':
      return { from: plusDays(tomorrow, -period.days), to: tomorrow };
    case 'calendarMonth':
      return { from: `${today.slice(0, 7)}-01`, to: tomorrow };
    case 'span':
      return period;
    case 'campaign':
      return today >= period.from && today < period.to ? period : { from: '9999', to: '0000' };
  }
}

/** The period of `t`, and the one its Conversion is compared with. */
function conversionPeriods(scheme: Scheme, t: number): readonly [Period, Period] {
  const { period } = scheme;
  switch (period.kind) {
    case 'rolling': {
      const now = countedPeriod(scheme, t);
      return [now, { from: plusDays(now.from, -period.days), to: now.from }];
    }
    case 'calendarMonth': {
      const { from } = countedPeriod(scheme, t);
      const to = `${plusDays(from, 31).slice(0, 7)}-01`;
      return [
        { from, to },
        { from: `${plusDays(from, -1).slice(0, 7)}-01`, to: from },
      ];
    }
    case 'span':
      return [period, { from: plusDays(period.from, -daysBetween(period.from, period.to)), to: period.from }];
    case 'campaign':
      return [period, { from: period.baseFrom, to: period.from }];
  }
}
