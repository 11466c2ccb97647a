/** What a replay or an import ends with, for a person (table) or a program (JSON). */
import type { ImportReport } from '../simulator/recorded/import-rows.js';
import type { ReplayReport } from '../simulator/recorded/replay-plan.js';
import { printable } from '../simulator/recorded/printable-text.js';
import type { BrandTotals } from './replay-host.js';

type Status = ReplayReport['status'] | ImportReport['status'];

export interface RecordedReport extends Pick<ReplayReport, 'rowsRead' | 'rejected' | 'ignored' | 'counts'> {
  readonly status: Status;
}

export interface ReplaySummary {
  readonly status: Status;
  readonly rows_read: number;
  readonly accepted: number;
  readonly ignored: Readonly<Record<string, number>>;
  /** By reason, with the row numbers of the first ones. */
  readonly rejected: Readonly<Record<string, { readonly count: number; readonly rows: readonly string[] }>>;
  readonly rejected_total: number;
  readonly guest_orders: number;
  readonly persons: number;
  readonly buyers: number;
  readonly last_event: string | null;
  readonly wall_seconds: number;
  /** As ClickHouse has it, all that the brand's log holds. Null where it was not waited for. */
  readonly brand: BrandSummary | null;
}

/** Amounts in minor units of the currency. */
export interface BrandSummary {
  readonly brand: string;
  /** Persons by tier, index 0–5. */
  readonly stocks: readonly { readonly scheme_id: string; readonly tiers: readonly number[] }[];
  readonly orders: number;
  readonly gmv_gross_minor: number;
  readonly refunds_minor: number;
  readonly gmv_net_minor: number;
}

export function summaryOf(report: RecordedReport, totals: BrandTotals | null, wallMs: number): ReplaySummary {
  const { counts } = report;
  const rejected = new Map<string, { count: number; rows: readonly string[] }>();
  for (const [reason, { count, examples }] of report.rejected) {
    rejected.set(reason, { count, rows: examples.map(({ source, row }) => `${source}#${row}`) });
  }
  for (const [reason, { count, examples }] of counts.rejected) {
    const before = rejected.get(reason);
    const rows = [...(before?.rows ?? []), ...examples];
    rejected.set(reason, { count: count + (before?.count ?? 0), rows });
  }
  return {
    status: report.status,
    rows_read: report.rowsRead,
    accepted: counts.accepted,
    ignored: Object.fromEntries(report.ignored),
    rejected: Object.fromEntries(rejected),
    rejected_total: [...rejected.values()].reduce((sum, { count }) => sum + count, 0),
    guest_orders: counts.guestOrders,
    persons: counts.persons,
    buyers: counts.buyers,
    last_event: counts.lastAt === null ? null : new Date(counts.lastAt).toISOString(),
    wall_seconds: Math.round(wallMs / 10) / 100,
    brand: totals === null ? null : brandSummaryOf(totals),
  };
}

function brandSummaryOf({ brand, stocks, orders, gmvGrossMinor, refundsMinor }: BrandTotals): BrandSummary {
  return {
    brand,
    stocks: stocks.map(({ schemeId, tiers }) => ({ scheme_id: schemeId, tiers })),
    orders,
    gmv_gross_minor: gmvGrossMinor,
    refunds_minor: refundsMinor,
    gmv_net_minor: gmvGrossMinor - refundsMinor,
  };
}

const STATUS_TEXT: Readonly<Record<Status, string>> = {
  replayed: 'replayed',
  imported: 'imported',
  resumed: 'resumed: went on where it was stopped, to the end',
  unchanged: 'unchanged: in the log already, so nothing was written',
  stopped: 'stopped: the same command goes on from here',
};

/** @param minorDigits   of the currency, to print amounts */
export function renderSummary(summary: ReplaySummary, currency: string, minorDigits: number): string {
  const lines: [string, string][] = [
    ['status', STATUS_TEXT[summary.status]],
    ['rows read', count(summary.rows_read)],
    ['accepted', count(summary.accepted)],
    ['rejected', count(summary.rejected_total)],
    ...Object.entries(summary.rejected).map(([reason, { count: of, rows }]): [string, string] => [
      `  ${reason}`,
      `${count(of)}  (${rows.map((row) => printable(row)).join(', ')}${of > rows.length ? ', …' : ''})`,
    ]),
    ...Object.entries(summary.ignored).map(([reason, of]): [string, string] => [
      `ignored ${reason}`,
      count(of),
    ]),
    ['guest orders', count(summary.guest_orders)],
    ['persons', count(summary.persons)],
    ['buyers', count(summary.buyers)],
    ['last event', summary.last_event ?? '–'],
  ];
  if (summary.brand !== null) {
    const { stocks, orders, gmv_gross_minor, gmv_net_minor } = summary.brand;
    const money = (minor: number): string => `${amount(minor, minorDigits)} ${currency}`;
    for (const { scheme_id, tiers } of stocks) {
      lines.push([`tiers ${scheme_id}`, tiers.map((of, tier) => `${tier}: ${count(of)}`).join('  ')]);
    }
    lines.push(['orders', count(orders)]);
    lines.push(['GMV gross', money(gmv_gross_minor)]);
    lines.push(['GMV net', money(gmv_net_minor)]);
  }
  lines.push(['time', `${summary.wall_seconds} s`]);
  const width = Math.max(...lines.map(([name]) => name.length));
  return lines.map(([name, value]) => `${name.padEnd(width)}  ${value}\n`).join('');
}

function count(value: number): string {
  return value.toLocaleString('en-US');
}

function amount(minor: number, minorDigits: number): string {
  const digits = String(Math.abs(minor)).padStart(minorDigits + 1, '0');
  const whole = Number(digits.slice(0, digits.length - minorDigits)).toLocaleString('en-US');
  const fraction = minorDigits === 0 ? '' : `.${digits.slice(-minorDigits)}`;
  return `${minor < 0 ? '-' : ''}${whole}${fraction}`;
}
