/** Rows and facts of a small brand, as the fold would have written them. */
import type { TierChanged } from '#domain';
import type { FigureRow, LateEventRow, WindowFigureRow } from '#pipeline';

export const BRAND = '雲裳/☂';
export const FIGURES_AT = Date.UTC(2026, 10, 11, 4);
const AT = FIGURES_AT;
const EPOCH = 1n << 48n;

/** @param offset   of the log, up to which they speak */
export function figureRows(offset: number, visitors = 10): FigureRow[] {
  const head = { generation: 1, version: EPOCH + BigInt(offset) };
  const counts = {
    ...{ visitors, active: 4, active_related: 2, visitors_related: 3, capital: 5, orders: 1 },
    ...{ capital_reachable: 4, buyers: 1, gmv_gross_minor: 990, refunds_minor: 0 },
  };
  const windows = ['5m', '1h', '24h', '30d'].flatMap((window): FigureRow[] => {
    const row: Omit<WindowFigureRow, 'channel'> = {
      ...{ table: 'window_figures', ...head, brand: BRAND, partition: 0, window, end: AT },
      ...{ status: 'closed', watermark: AT },
      ...counts,
    };
    return [
      { ...row, channel: 'all' },
      { ...row, channel: 'live' },
      ...[0, 1].map((partition) => ({
        table: 'window_heartbeats' as const,
        ...head,
        partition,
        window,
        end: AT,
      })),
    ];
  });
  const period = {
    ...{ table: 'period_figures' as const, ...head, brand: BRAND, partition: 0, day: '2026-11-11' },
    ...{ status: 'provisional' as const, watermark: AT, capital: 5, capital_base: 4, new_relations: 1 },
    ...{
      lost_relations: 0,
      orders: 1,
      gmv_gross_minor: 990,
      refunds_minor: 0,
      deepened: 2,
      deepened_cohort: 1,
    },
    tiers: [1, 3, 1, 1, 0, 0],
  };
  const person = {
    ...{ table: 'persons' as const, ...head, brand: BRAND, partition: 0, scheme_id: 'rolling:30d', tier: 3 },
    ...{
      period_id: 'rolling:30d',
      purchase_days: 1,
      orders: 1,
      own_value_minor: 990,
      gone: false,
      is_member: true,
    },
    ...{ first_purchase: AT - 5, last_purchase: AT - 5 },
  };
  return [
    ...windows,
    { ...period, channel: 'all', scheme_id: 'rolling:30d', period_id: 'rolling:30d' },
    { ...period, channel: 'live', scheme_id: 'rolling:30d', period_id: 'rolling:30d' },
    { ...period, channel: 'all', scheme_id: 'calendar:month', period_id: '2026-11' },
    { ...person, person: 'a/b 雲' },
    { ...person, person: 'c' },
  ];
}

/** @param ageMs   how long before `FIGURES_AT` it happened; it has arrived then */
export function lateRow(eventId: string, ageMs: number, more: Partial<LateEventRow> = {}): LateEventRow {
  const at = AT - ageMs;
  const missedFrom = Math.floor(at / 10_000) * 10_000 + 10_000;
  return {
    ...{
      table: 'late_events',
      generation: 1,
      version: EPOCH + 9n,
      brand: BRAND,
      partition: 0,
      channel: 'live',
    },
    ...{ window: '5m', event_id: eventId, person: 'a/b 雲', at, arrived_at: AT },
    ...{ missed_from: missedFrom, missed_to: missedFrom + 300_000 },
    ...more,
  };
}

export function change(person: string, version: number, schemeId = 'rolling:30d'): TierChanged {
  return {
    ...{
      type: 'tierChanged',
      brand: BRAND,
      person,
      schemeId,
      periodId: schemeId,
      from: 1,
      to: 2,
      direction: 'UP',
    },
    ...{
      cause: 'EVENT',
      causeEventId: 'e1',
      effectiveAt: AT,
      detectedAt: AT + 1,
      version: EPOCH + BigInt(version),
    },
    evidence: { purchaseDays: [], everPurchased: false, lastShareAt: null },
  };
}
