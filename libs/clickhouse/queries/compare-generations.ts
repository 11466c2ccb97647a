/** What a rebuild says otherwise than the figures that are shown: the same ends and days, side by side. */
import { ALL_CHANNELS, type Rules, type WindowSpec } from '#domain';
import { type ClickHouse } from '../clickhouse.js';
import { brands, channels, latestPeriodFigures } from './period-figures.js';
import { WINDOW_COUNTS, type WindowCounts } from './window-counts.js';
import { figuresAt, heartbeats } from './window-figures.js';

export interface FigureDifference {
  readonly brand: string;
  readonly channel: string;
  /** `window 5m`, `period rolling:30d`. */
  readonly what: string;
  /** End of the window (ISO) or local day. */
  readonly at: string;
  readonly figure: string;
  /** Null: there is none. */
  readonly shown: number | null;
  readonly rebuilt: number | null;
}

export interface GenerationsCompared {
  readonly compared: number;
  readonly differences: readonly FigureDifference[];
}

export interface GenerationsQuery {
  readonly shown: number;
  readonly rebuilt: number;
  readonly rules: Rules;
  /**
   * The shown figures are moving: what is compared lies back a minute, and a day, so that late corrections of the
   * live fold have been written.
   */
  readonly isLive: boolean;
  readonly onProgress?: (done: number, of: number) => void;
}

const BACK_MS = 60_000;
const PERIOD_FIGURES = [
  ...(['capital', 'capital_base', 'new_relations', 'lost_relations', 'orders'] as const),
  ...(['gmv_gross_minor', 'refunds_minor', 'deepened', 'deepened_cohort'] as const),
];

/** Every brand and channel at the newest end of every window, and on the newest day of every scheme, that both have. */
export async function compareGenerations(
  clickhouse: ClickHouse,
  query: GenerationsQuery,
): Promise<GenerationsCompared> {
  const { rules, onProgress } = query;
  const differences: FigureDifference[] = [];
  let compared = 0;
  const add = (found: GenerationsCompared): void => {
    compared += found.compared;
    differences.push(...found.differences);
  };
  const names = await brands(clickhouse);
  let done = 0;
  for (const brand of names) {
    for (const channel of [ALL_CHANNELS, ...(await channels(clickhouse, brand))]) {
      for (const window of rules.windows) add(await compareWindow(clickhouse, query, window, brand, channel));
      for (const { id, brand: of } of rules.schemes) {
        if (of === null || of === brand) add(await comparePeriod(clickhouse, query, id, brand, channel));
      }
    }
    done += 1;
    onProgress?.(done, names.length);
  }
  return { compared, differences };
}

async function compareWindow(
  clickhouse: ClickHouse,
  { shown, rebuilt, isLive }: GenerationsQuery,
  { id, slideMs }: WindowSpec,
  brand: string,
  channel: string,
): Promise<GenerationsCompared> {
  const beats = [await heartbeats(clickhouse, id, shown), await heartbeats(clickhouse, id, rebuilt)];
  const [was, is] = beats;
  if (was == null || is == null) return { compared: 0, differences: [] };
  const closed = Math.min(...was.closed.values(), ...is.closed.values()) - (isLive ? BACK_MS : 0);
  const end = Math.floor(closed / slideMs) * slideMs;
  const query = { brand, channel, window: id };
  const left = await figuresAt(clickhouse, query, was, end);
  const right = await figuresAt(clickhouse, query, is, end);
  const at = new Date(end).toISOString();
  const value = (
    counts: WindowCounts & { readonly partitionsWithRows: number },
    figure: keyof WindowCounts,
  ) => (counts.partitionsWithRows === 0 ? 0 : counts[figure]);
  return sideBySide({ brand, channel, what: `window ${id}`, at }, WINDOW_COUNTS, (figure) => [
    value(left, figure),
    value(right, figure),
  ]);
}

async function comparePeriod(
  clickhouse: ClickHouse,
  { shown, rebuilt, isLive }: GenerationsQuery,
  schemeId: string,
  brand: string,
  channel: string,
): Promise<GenerationsCompared> {
  const of = (generation: number, dayTo?: string) =>
    latestPeriodFigures(clickhouse, {
      brand,
      channel,
      schemeId,
      generation,
      ...(dayTo === undefined ? {} : { dayTo }),
    });
  const newest = [await of(shown), await of(rebuilt)];
  const days = newest.flatMap((found) => (found === null ? [] : [found.day])).sort();
  const [first] = days;
  if (first === undefined) return { compared: 0, differences: [] };
  const day = isLive ? dayBefore(first) : first;
  const left = await of(shown, day);
  const right = await of(rebuilt, day);
  const head = { brand, channel, what: `period ${schemeId}`, at: day };
  const figures = sideBySide(head, PERIOD_FIGURES, (figure) => [
    left?.[figure] ?? null,
    right?.[figure] ?? null,
  ]);
  const tiers = sideBySide(head, ['0', '1', '2', '3', '4', '5'], (tier) => [
    left?.tiers[Number(tier)] ?? null,
    right?.tiers[Number(tier)] ?? null,
  ]);
  return {
    compared: figures.compared + tiers.compared,
    differences: [
      ...figures.differences,
      ...tiers.differences.map((one) => ({ ...one, figure: `tier ${one.figure}` })),
    ],
  };
}

type Head = Omit<FigureDifference, 'figure' | 'shown' | 'rebuilt'>;

function sideBySide<Figure extends string>(
  head: Head,
  figures: readonly Figure[],
  valuesOf: (figure: Figure) => readonly [number | null, number | null],
): GenerationsCompared {
  const differences: FigureDifference[] = [];
  for (const figure of figures) {
    const [shown, rebuilt] = valuesOf(figure);
    if (shown !== rebuilt) differences.push({ ...head, figure, shown, rebuilt });
  }
  return { compared: figures.length, differences };
}

function dayBefore(day: string): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) - 86_400_000).toISOString().slice(0, 10);
}
