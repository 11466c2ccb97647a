import type { TierCause } from '#domain';
import type { ClickHouse } from '../clickhouse.js';
import { big, flag, integer, integerOrNull, listOf, oneOf, rowOf, text } from '../row-reader.js';

/** Place of a change in the order of (detectedAt, version, person, scheme). */
export interface TierChangeCursor {
  readonly detectedAt: number;
  readonly version: bigint;
  readonly person: string;
  readonly schemeId: string;
}

export interface StoredTierChange extends TierChangeCursor {
  readonly periodId: string;
  readonly from: number;
  readonly to: number;
  readonly direction: 'UP' | 'DOWN';
  readonly cause: TierCause;
  readonly causeEventId: string | null;
  readonly effectiveAt: number;
  readonly purchaseDays: readonly string[];
  readonly everPurchased: boolean;
  readonly lastShareAt: number | null;
}

export interface TierChangesQuery {
  readonly brand: string;
  readonly schemeId?: string;
  readonly person?: string;
  /** Changes beyond this one; null or absent: from the beginning (or the newest). */
  readonly after?: TierChangeCursor | null;
  /** Default: oldest. */
  readonly order?: 'oldest' | 'newest';
  /** At most 10,000. */
  readonly limit: number;
}

export const TIER_CAUSES: readonly TierCause[] = [
  'EVENT',
  'TIME',
  'REFUND',
  'UNLINK',
  'MERGE',
  'RESTATE',
  'ERASURE',
];

const READ = rowOf({
  detectedAt: integer,
  version: big,
  person: text,
  schemeId: text,
  periodId: text,
  from: integer,
  to: integer,
  direction: oneOf(['UP', 'DOWN']),
  cause: oneOf(TIER_CAUSES),
  causeEventId: text,
  effectiveAt: integer,
  purchaseDays: listOf(text),
  everPurchased: flag,
  lastShareAt: integerOrNull,
});

function row(cells: unknown): StoredTierChange {
  const change = READ(cells);
  return { ...change, causeEventId: change.causeEventId === '' ? null : change.causeEventId };
}

const PLACE = '(detected_at, version, person, scheme_id)';
const CURSOR = `(fromUnixTimestamp64Milli({detectedAt:Int64}, 'UTC'), {version:UInt64}, {person:String}, {scheme:String})`;

/**
 * A page of tier changes. Partitions write beside each other, so a change can still appear before a cursor that is
 * near the present: what must miss none reads the topic `tier-changes`.
 */
export async function tierChanges(
  clickhouse: ClickHouse,
  query: TierChangesQuery,
): Promise<readonly StoredTierChange[]> {
  if (!Number.isInteger(query.limit) || query.limit < 1 || query.limit > 10_000)
    throw new RangeError(`limit: expected 1 to 10000, got ${query.limit}`);
  const { after = null } = query;
  const newest = query.order === 'newest';
  const beyond = after === null ? '' : `AND ${PLACE} ${newest ? '<' : '>'} ${CURSOR}`;
  return clickhouse.query({
    sql: `
      SELECT toUnixTimestamp64Milli(detected_at) AS detectedAt, version, person, scheme_id AS schemeId,
        period_id AS periodId, from_tier AS from, to_tier AS to, direction, cause, cause_event_id AS causeEventId,
        toUnixTimestamp64Milli(effective_at) AS effectiveAt, purchase_days AS purchaseDays,
        ever_purchased AS everPurchased, toUnixTimestamp64Milli(last_share_at) AS lastShareAt
      FROM gravity.tier_changes FINAL
      WHERE brand = {brand:String} ${beyond}
        AND ({onlyScheme:String} = '' OR scheme_id = {onlyScheme:String})
        AND ({onlyPerson:String} = '' OR person = {onlyPerson:String})
      ORDER BY ${PLACE.slice(1, -1)
        .split(', ')
        .map((column) => `${column} ${newest ? 'DESC' : 'ASC'}`)
        .join(', ')}
      LIMIT {limit:UInt32}`,
    params: {
      ...{ brand: query.brand, limit: query.limit },
      ...{ onlyScheme: query.schemeId ?? '', onlyPerson: query.person ?? '' },
      ...(after === null
        ? {}
        : {
            detectedAt: after.detectedAt,
            version: after.version,
            person: after.person,
            scheme: after.schemeId,
          }),
    },
    row,
  });
}
