/** Live figures of a brand held against what SQL makes of the raw facts, at a sample. */
import {
  reachedBy,
  reconcilePeriods,
  reconcilePersons,
  reconcileTierFlows,
  reconcileWindow,
  type ClickHouse,
  type PeriodDrift,
  type PersonDrift,
  type StoredComparison,
  type StoredDrift,
  type TierFlowDrift,
  type WindowDrift,
} from '#clickhouse';
import type { Rules, WindowSpec } from '#domain';
import type { BrandEntry } from '../catalogue.js';

/** How much of one kind of figure was compared. */
export type Comparison = Omit<StoredComparison, 'runAt'>;
export type Drift = Omit<StoredDrift, 'runAt'>;

/** Windows that slide by less have rows from `Rules.fineRowsFrom` on only. */
const HOUR_MS = 3_600_000;

export interface Findings {
  readonly comparisons: readonly Comparison[];
  readonly drifts: readonly Drift[];
}

export interface DriftSample {
  readonly windows: readonly WindowSpec[];
  /** Closed ends of each window, in every channel: the newest one, and others spread over all there are. */
  readonly ends: number;
  /** Of these windows, all closed ends. */
  readonly wholeWindows?: readonly string[];
  /** In [0, 1): where the others lie. */
  readonly offset: number;
  /** Only ends up to this instant, ms; absent: all that are closed. */
  readonly until?: number;
  /** `Rules.fineRowsFrom` of the log. */
  readonly fineRowsFrom: number;
  /** Whose persons are compared, all of them, and whose days; none where the list is empty. */
  readonly schemes: Rules['schemes'];
  /** Closed days of each scheme, in every channel: the newest one, and others spread over all there are. */
  readonly days: number;
  /** Scheme → since when it is as it is, ms; absent: since ever. */
  readonly schemesSince?: ReadonlyMap<string, number>;
  /** Of the rules. */
  readonly refundHorizonMs: number;
  readonly stateLatenessMs: number;
}

/** @param onProgress   told what is being compared; what it throws ends the look */
export async function lookForDrift(
  clickhouse: ClickHouse,
  brand: BrandEntry,
  sample: DriftSample,
  onProgress: (doing: string) => void = () => undefined,
): Promise<Findings> {
  const parts: Findings[] = [];
  for (const window of sample.windows) {
    parts.push(await windowFindings(clickhouse, brand, window, sample, onProgress));
  }
  parts.push(...(await schemesFindings(clickhouse, brand, sample, onProgress)));
  return allOf(parts);
}

export function allOf(parts: readonly Findings[]): Findings {
  return {
    comparisons: parts.flatMap(({ comparisons }) => comparisons),
    drifts: parts.flatMap(({ drifts }) => drifts),
  };
}

/** A drift in words. */
export function driftText({ brand, what, place, figure, live, recount }: Drift): string {
  return `${brand}: ${what}, ${place}: ${figure} is ${live ?? 'none'}, recounted ${recount ?? 'none'}`;
}

async function windowFindings(
  clickhouse: ClickHouse,
  { brand, channels }: BrandEntry,
  window: WindowSpec,
  { ends, offset, until, fineRowsFrom, wholeWindows }: DriftSample,
  onProgress: (doing: string) => void,
): Promise<Findings> {
  const endsMax = wholeWindows?.includes(window.id) === true ? Infinity : ends;
  const bound = {
    ...(until === undefined ? {} : { until }),
    ...(window.slideMs < HOUR_MS ? { rowsFrom: fineRowsFrom } : {}),
  };
  const sample = { brand, channels, window, endsMax, offset, ...bound };
  const { compared, late, drifts } = await reconcileWindow(clickhouse, sample, (done, of) =>
    onProgress(`${brand}: window ${window.id}, end ${done} of ${of}`),
  );
  const what = `window ${window.id}`;
  return {
    comparisons: [{ brand, what, compared, setAside: late, differ: drifts.length }],
    drifts: drifts.map((drift) => ({ ...windowDrift(drift), what })),
  };
}

async function schemesFindings(
  clickhouse: ClickHouse,
  { brand }: BrandEntry,
  sample: DriftSample,
  onProgress: (doing: string) => void,
): Promise<readonly Findings[]> {
  const { schemes } = sample;
  const watermark = schemes.length === 0 ? null : await reachedBy(clickhouse);
  if (watermark === null) return [];
  const parts: Findings[] = [];
  for (const scheme of schemes) {
    if (scheme.brand !== null && scheme.brand !== brand) continue;
    onProgress(`${brand}: persons under ${scheme.id}`);
    const { compared, ahead, drifts } = await reconcilePersons(clickhouse, { brand, scheme, watermark });
    const what = `persons ${scheme.id}`;
    parts.push({
      comparisons: [{ brand, what, compared, setAside: ahead, differ: drifts.length }],
      drifts: drifts.map((drift) => ({ ...personDrift(drift), what })),
    });
    parts.push(await tierFlowFindings(clickhouse, brand, scheme.id));
    parts.push(await periodFindings(clickhouse, { ...sample, brand, scheme, watermark }, onProgress));
  }
  return parts;
}

async function periodFindings(
  clickhouse: ClickHouse,
  { brand, scheme, days, schemesSince, until, ...sample }: DriftSample & Of,
  onProgress: (doing: string) => void,
): Promise<Findings> {
  const what = `periods ${scheme.id}`;
  const { compared, late, drifts } = await reconcilePeriods(
    clickhouse,
    {
      ...{ ...sample, ledger: sample.windows.at(-1) ?? null },
      ...{ brand, scheme, daysMax: days, since: schemesSince?.get(scheme.id) ?? -Infinity },
      watermark: Math.min(sample.watermark, until ?? Infinity),
    },
    (done, of) => onProgress(`${brand}: ${what}, day ${done} of ${of}`),
  );
  return {
    comparisons: [{ brand, what, compared, setAside: late, differ: drifts.length }],
    drifts: drifts.map((drift) => ({ ...periodDrift(drift), what })),
  };
}

interface Of {
  readonly brand: string;
  readonly scheme: Rules['schemes'][number];
  /** Event time that all partitions have reached, ms. */
  readonly watermark: number;
}

async function tierFlowFindings(clickhouse: ClickHouse, brand: string, schemeId: string): Promise<Findings> {
  const { compared, drifts } = await reconcileTierFlows(clickhouse, { brand, schemeId });
  const what = `tier changes ${schemeId}`;
  return {
    comparisons: [{ brand, what, compared, setAside: 0, differ: drifts.length }],
    drifts: drifts.map((drift) => ({ ...tierFlowDrift(drift), what })),
  };
}

function windowDrift({ brand, channel, end, figure, live, recount }: WindowDrift): Omit<Drift, 'what'> {
  return { brand, place: `${channel}, ${new Date(end).toISOString()}`, figure, live, recount };
}

function periodDrift({ brand, channel, day, figure, live, recount }: PeriodDrift): Omit<Drift, 'what'> {
  return { brand, place: `${channel}, ${day}`, figure, live, recount };
}

function personDrift({ brand, person, field, live, recount }: PersonDrift): Omit<Drift, 'what'> {
  const cell = (value: number | boolean | null): number | null => (value === null ? null : Number(value));
  return { brand, place: `person ${person}`, figure: field, live: cell(live), recount: cell(recount) };
}

function tierFlowDrift({ brand, person, what, tier, led }: TierFlowDrift): Omit<Drift, 'what'> {
  const figure = what === 'last' ? 'tier' : 'from tier of a change';
  return { brand, place: `person ${person}`, figure, live: tier, recount: led };
}
