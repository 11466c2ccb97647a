/** Which brands a command is about. */
import type { ClickHouse } from '#clickhouse';
import { Catalogue, type BrandEntry } from '../console/catalogue.js';
import { CliError, noBrand } from './exit-codes.js';

/**
 * The brand that is named, alone, or all that have figures.
 * @returns at least one
 * @throws CliError   there is no such brand, or none at all
 */
export async function brandEntries(
  clickhouse: ClickHouse,
  brand: string | undefined,
): Promise<readonly [BrandEntry, ...BrandEntry[]]> {
  const entries = await new Catalogue(clickhouse).brands();
  if (entries.length === 0) throw new CliError('there are no figures yet');
  const [first, ...others] = entries.filter((entry) => brand === undefined || entry.brand === brand);
  if (first !== undefined) return [first, ...others];
  throw new CliError(noBrand(brand ?? '', entries.map((entry) => entry.brand).sort()));
}
