import type { FoldContext } from './fold-context.js';
import type { Relationship } from './relationship.js';
import { NO_LINKS } from './window-port.js';

/**
 * New rules may bring a zone in which no day figures have been kept. They begin with what the state still knows:
 * links as far back as they are kept, and the money of open orders.
 */
export function announceToNewZones(before: Relationship | undefined, { zones, out }: FoldContext): void {
  if (before === undefined || before.zones === 0) return;
  const { brand, links, money } = before;
  for (const zone of zones.slice(before.zones)) {
    if (links.lines.length > 0) {
      out.days.push({ type: 'links', brand, before: NO_LINKS, after: links.view, zone });
    }
    for (const { lines, refunds, paidAt } of money.orders) {
      let first = true;
      for (const { channel, at, amountMinor: grossMinor } of lines) {
        const orders = first && at === paidAt ? 1 : 0;
        if (orders === 1) first = false;
        out.days.push({ type: 'money', brand, channel, at, orders, grossMinor, refundMinor: 0, zone });
      }
      for (const { channel, at, amountMinor: refundMinor } of refunds) {
        out.days.push({ type: 'money', brand, channel, at, orders: 0, grossMinor: 0, refundMinor, zone });
      }
    }
  }
}
