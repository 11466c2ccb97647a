/** The figures of window ends, counted again from all events of a load by their definitions. */
import { ALL_CHANNELS, type WindowRow, type WindowSpec } from '#domain';
import { ACTIVE, ENGINE_BRANDS, ENGINE_CHANNELS, linkSpansOf, type EngineLoad } from './engine-load.js';

interface RecountedFigures {
  visitors: number;
  active: number;
  active_related: number;
  visitors_related: number;
  capital: number;
}

/**
 * @param end   end instant T of [T − W, T), ms
 * @returns by `brand|channel`
 */
function recount(
  load: EngineLoad,
  links: readonly (readonly number[])[],
  { widthMs }: WindowSpec,
  end: number,
): ReadonlyMap<string, RecountedFigures> {
  const persons = load.brandOf.length;
  const all = ENGINE_CHANNELS.length;
  // Bit 0: visited, bit 1: was active; by channel and person.
  const seen = Array.from({ length: all + 1 }, () => new Uint8Array(persons));
  load.instants.forEach((at, nth) => {
    if (at < end - widthMs || at >= end) return;
    const bits = (load.kinds[nth] ?? 0) >= ACTIVE ? 3 : 1;
    const person = load.people[nth] ?? 0;
    for (const channel of [load.channels[nth] ?? 0, all]) {
      const marks = seen[channel];
      if (marks !== undefined) marks[person] = (marks[person] ?? 0) | bits;
    }
  });
  const figures = new Map<string, RecountedFigures>();
  const none = { visitors: 0, active: 0, active_related: 0, visitors_related: 0, capital: 0 };
  for (const brand of ENGINE_BRANDS) {
    for (const channel of [...ENGINE_CHANNELS, ALL_CHANNELS]) figures.set(`${brand}|${channel}`, { ...none });
  }
  for (let person = 0; person < persons; person++) {
    const brand = ENGINE_BRANDS[load.brandOf[person] ?? 0] ?? '';
    const own = links[person] ?? [];
    const isRelated = someSpan(own, (from, to) => from < end && to > end - widthMs && from < to);
    const isCapital = someSpan(own, (from, to) => from < end && to >= end);
    seen.forEach((marks, channel) => {
      const of = figures.get(`${brand}|${ENGINE_CHANNELS[channel] ?? ALL_CHANNELS}`);
      if (of === undefined) return;
      const bits = marks[person] ?? 0;
      if ((bits & 1) !== 0) of.visitors += 1;
      if ((bits & 2) !== 0) of.active += 1;
      if ((bits & 1) !== 0 && isRelated) of.visitors_related += 1;
      if ((bits & 2) !== 0 && isRelated) of.active_related += 1;
      if (isCapital && (channel === all || channel === load.linkChannelOf[person])) of.capital += 1;
    });
  }
  return figures;
}

function someSpan(spans: readonly number[], test: (from: number, to: number) => boolean): boolean {
  for (let i = 0; i < spans.length; i += 2) if (test(spans[i] ?? 0, spans[i + 1] ?? 0)) return true;
  return false;
}

/** Ends of each window that are counted again; evenly spread over those that a row was written of. */
const SAMPLED_ENDS = 6;

/** The last row written of each window, end, brand and channel. */
export class RowTable {
  readonly #rows = new Map<string, WindowRow>();

  write(rows: readonly WindowRow[]): void {
    for (const row of rows) this.#rows.set(keyOf(row.window, row.end, row.brand, row.channel), row);
  }

  /** @throws Error where a row is not what its window end holds by a count of all events */
  check(load: EngineLoad, specs: readonly WindowSpec[]): string {
    const links = linkSpansOf(load);
    let compared = 0;
    for (const spec of specs) {
      for (const end of this.#sampledEnds(spec.id)) {
        for (const [name, expected] of recount(load, links, spec, end)) {
          const [brand = '', channel = ''] = name.split('|');
          const row = this.#rows.get(keyOf(spec.id, end, brand, channel)) ?? NONE;
          const { visitors, active, active_related, visitors_related, capital } = row;
          const actual = JSON.stringify({ visitors, active, active_related, visitors_related, capital });
          if (actual !== JSON.stringify(expected)) {
            const where = `${name}, window ${spec.id}, end ${new Date(end).toISOString()}`;
            throw new Error(`${where}: ${actual}, but the truth is ${JSON.stringify(expected)}`);
          }
          compared += Object.keys(expected).length;
        }
      }
    }
    return `${compared} figures of ${specs.map(({ id }) => id).join(', ')} counted again from the events`;
  }

  #sampledEnds(window: string): readonly number[] {
    const rows = [...this.#rows.values()].filter((row) => row.window === window);
    const ends = [...new Set(rows.map(({ end }) => end))].sort((a, b) => a - b);
    if (ends.length === 0) throw new Error(`no row of window ${window} was written`);
    const sample = Array.from({ length: SAMPLED_ENDS }, (_, nth) =>
      Math.round((nth * (ends.length - 1)) / (SAMPLED_ENDS - 1)),
    );
    return [...new Set(sample)].map((nth) => ends[nth] ?? 0);
  }
}

const NONE: RecountedFigures = { visitors: 0, active: 0, active_related: 0, visitors_related: 0, capital: 0 };

function keyOf(window: string, end: number, brand: string, channel: string): string {
  return `${window}|${end}|${brand}|${channel}`;
}
