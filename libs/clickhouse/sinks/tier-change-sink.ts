import type { TierChanged } from '#domain';
import type { ClickHouse, CompactValue } from '../clickhouse.js';
import { TableWriter } from './table-writer.js';

const COLUMNS = [
  ...[
    'brand',
    'person',
    'scheme_id',
    'period_id',
    'from_tier',
    'to_tier',
    'direction',
    'cause',
    'cause_event_id',
  ],
  ...['effective_at', 'detected_at', 'version', 'purchase_days', 'ever_purchased', 'last_share_at'],
];

function rowOf(change: TierChanged): readonly CompactValue[] {
  return [
    change.brand,
    change.person,
    change.schemeId,
    change.periodId,
    change.from,
    change.to,
    change.direction,
    change.cause,
    change.causeEventId ?? '',
    change.effectiveAt,
    change.detectedAt,
    change.version,
    change.evidence.purchaseDays,
    change.evidence.everPurchased,
    change.evidence.lastShareAt,
  ];
}

/** Stores tier changes; (brand, person, scheme, period, version) identifies one, so repeating it changes nothing. */
export class TierChangeSink {
  readonly #writer: TableWriter<TierChanged>;

  constructor(clickhouse: ClickHouse, insertRowsMax?: number) {
    this.#writer = new TableWriter(clickhouse, 'gravity.tier_changes', COLUMNS, rowOf, insertRowsMax);
  }

  write(changes: Iterable<TierChanged>): Promise<void> {
    return this.#writer.write(changes);
  }
}
