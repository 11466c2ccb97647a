/** Which brands, channels and schemes there are: what a question may name. */
import { listOf, rowOf, text, type ClickHouse } from '#clickhouse';
import { ALL_CHANNELS } from '#domain';
import { badParameter, unknownValue } from './http/api-problem.js';

export interface BrandEntry {
  readonly brand: string;
  /** In order, without `all`. */
  readonly channels: readonly string[];
  /** The default one first. */
  readonly schemes: readonly string[];
}

export interface Asked {
  readonly brand?: string | undefined;
  readonly channel?: string | undefined;
  readonly scheme?: string | undefined;
}

export interface Resolved {
  readonly brand: string;
  readonly channel: string;
  readonly schemeId: string;
}

export const DEFAULT_SCHEME = 'rolling:30d';
const FRESH_MS = 5_000;
const NAMES_SHOWN = 20;

const ENTRY = rowOf({ brand: text, channels: listOf(text), schemes: listOf(text) });

export class Catalogue {
  private entries: ReadonlyMap<string, BrandEntry> = new Map();
  private readAt = -Infinity;
  private reading: Promise<void> | null = null;

  constructor(
    private readonly clickhouse: Pick<ClickHouse, 'query'>,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** The largest first. */
  async brands(): Promise<readonly BrandEntry[]> {
    await this.refresh(FRESH_MS);
    return [...this.entries.values()];
  }

  /**
   * What a question speaks of, with defaults.
   * @throws ApiProblem 404 (400 where a brand has to be named) with the parameter and what there is
   */
  async resolve(asked: Asked): Promise<Resolved> {
    await this.refresh(FRESH_MS);
    try {
      return this.lookUp(asked);
    } catch {
      // It may be new; those who ask at the same time look together.
      await this.refresh(0);
      return this.lookUp(asked);
    }
  }

  /** @throws ApiProblem 404   a brand is named that has no figures */
  async assertBrand(brand: string | undefined): Promise<void> {
    if (brand !== undefined) await this.resolve({ brand });
  }

  private lookUp({ brand, channel = ALL_CHANNELS, scheme }: Asked): Resolved {
    const entry = this.entryOf(brand);
    if (channel !== ALL_CHANNELS && !entry.channels.includes(channel)) {
      throw unknownValue(
        'channel',
        `${entry.brand} has no channel ${channel}; ${some(['all', ...entry.channels])}`,
      );
    }
    const schemeId = scheme ?? entry.schemes[0] ?? DEFAULT_SCHEME;
    if (scheme !== undefined && !entry.schemes.includes(scheme)) {
      throw unknownValue('scheme', `${entry.brand} has no scheme ${scheme}; ${some(entry.schemes)}`);
    }
    return { brand: entry.brand, channel, schemeId };
  }

  private entryOf(brand: string | undefined): BrandEntry {
    const names = [...this.entries.keys()];
    if (brand === undefined) {
      const [only, ...others] = this.entries.values();
      if (only === undefined) throw unknownValue('brand', 'no brand has any figures yet');
      if (others.length > 0) throw badParameter('brand', `brand: needed, since ${some(names)}`);
      return only;
    }
    const entry = this.entries.get(brand);
    if (entry === undefined) throw unknownValue('brand', `there is no brand ${brand}; ${some(names)}`);
    return entry;
  }

  private async refresh(ageMs: number): Promise<void> {
    if (this.now() - this.readAt < ageMs) return;
    this.reading ??= this.read().finally(() => {
      this.reading = null;
    });
    await this.reading;
  }

  private async read(): Promise<void> {
    const rows = await this.clickhouse.query({
      sql: `
        SELECT brand, arraySort(groupUniqArray(channel)) AS channels, arraySort(groupUniqArray(scheme_id)) AS schemes
        FROM gravity.period_figures GROUP BY brand ORDER BY max(capital) DESC, brand`,
      row: ENTRY,
    });
    this.entries = new Map(
      rows.map(({ brand, channels, schemes }) => [
        brand,
        {
          brand,
          channels: channels.filter((channel) => channel !== ALL_CHANNELS),
          schemes: [...schemes].sort(byDefaultFirst),
        },
      ]),
    );
    this.readAt = this.now();
  }
}

function byDefaultFirst(left: string, right: string): number {
  return Number(right === DEFAULT_SCHEME) - Number(left === DEFAULT_SCHEME);
}

function some(names: readonly string[]): string {
  if (names.length === 0) return 'there is none yet';
  const shown = names.slice(0, NAMES_SHOWN).join(', ');
  return `there ${names.length === 1 ? 'is' : 'are'} ${shown}${names.length > NAMES_SHOWN ? ', …' : ''}`;
}
