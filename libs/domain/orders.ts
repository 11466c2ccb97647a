import type { Order, OrderLine, Refund } from './relationship.js';
import { NO_SPANS } from './spans.js';
import type { Span } from './window-port.js';

/**
 * An order of these records, with what follows from them.
 * @param horizonMs   how long after its payment a refund can still cancel it
 */
export function orderOf(
  orderId: string,
  lines: readonly OrderLine[],
  refunds: readonly Refund[],
  horizonMs: number,
): Order {
  let first: OrderLine | undefined;
  let paidPositiveAt = Infinity;
  let grossMinor = 0;
  for (const line of lines) {
    if (first === undefined || isEarlier(line, first)) first = line;
    if (line.amountMinor > 0 && line.at < paidPositiveAt) paidPositiveAt = line.at;
    grossMinor += line.amountMinor;
  }
  let refundedMinor = 0;
  for (const { amountMinor } of refunds) refundedMinor += amountMinor;
  const paidAt = first?.at ?? Infinity;
  return {
    orderId,
    lines,
    refunds,
    paidAt,
    paidPositiveAt,
    channel: first?.channel ?? null,
    grossMinor,
    refundedMinor,
    cancelled:
      refunds.length === 0 || first === undefined
        ? NO_SPANS
        : cancelledSpans(lines, refunds, paidAt, paidAt + horizonMs),
  };
}

function isEarlier(a: OrderLine, b: OrderLine): boolean {
  if (a.at !== b.at) return a.at < b.at;
  if (a.contentHash !== b.contentHash) return a.contentHash < b.contentHash;
  return a.lineId < b.lineId;
}

/** One line's way to its full refund. */
interface LineAccount {
  paid: number;
  refunded: number;
  explicit: boolean;
}

/**
 * When the order stood fully refunded (FAST+ section 8 rows 8 and 30). At an instant it does, going by the lines
 * and refunds up to then, if a refund said to be full names the order, or if more than nothing was paid and all
 * of it has come back, or if every line is refunded, by a full refund of that line or by its amount. An order
 * for which nothing was paid is cancelled only explicitly. A refund dated before its order, or behind the refund
 * horizon (`until`), is money only. A line paid later opens an order again that had been refunded by amount.
 */
function cancelledSpans(
  lines: readonly OrderLine[],
  refunds: readonly Refund[],
  paidAt: number,
  until: number,
): readonly Span[] {
  const accounts = new Map<string, LineAccount>();
  const account = (lineId: string): LineAccount => {
    let known = accounts.get(lineId);
    if (known === undefined) {
      known = { paid: -1, refunded: 0, explicit: false };
      accounts.set(lineId, known);
    }
    return known;
  };
  let paid = 0;
  let refunded = 0;
  const isCancelled = (): boolean => {
    if (paid > 0 && refunded >= paid) return true;
    for (const line of accounts.values()) {
      if (line.paid < 0 || line.explicit) continue;
      if (line.paid === 0 || line.refunded < line.paid) return false;
    }
    return true;
  };

  const counted = refunds.filter(({ at }) => at >= paidAt && at < until);
  const instants = [...new Set([...lines, ...counted].map(({ at }) => at))].sort((a, b) => a - b);
  const spans: Span[] = [];
  let since: number | null = null;
  for (const instant of instants) {
    for (const line of lines) {
      if (line.at !== instant) continue;
      account(line.lineId).paid = line.amountMinor;
      paid += line.amountMinor;
    }
    for (const refund of counted) {
      if (refund.at !== instant) continue;
      if (refund.full && refund.lineId === null) {
        return [...spans, { from: since ?? instant, to: Infinity }];
      }
      refunded += refund.amountMinor;
      if (refund.lineId === null) continue;
      const line = account(refund.lineId);
      line.refunded += refund.amountMinor;
      if (refund.full) line.explicit = true;
    }
    const cancelled = isCancelled();
    if (cancelled && since === null) since = instant;
    if (!cancelled && since !== null) {
      spans.push({ from: since, to: instant });
      since = null;
    }
  }
  return since === null ? spans : [...spans, { from: since, to: Infinity }];
}
