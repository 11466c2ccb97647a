import type { MoneyChange } from '../window-port.js';
import type { WindowChanges } from './window-changes.js';
import type { WindowContext } from './window-grid.js';
import { METRIC } from './window-metrics.js';

/**
 * Orders, gross and refunds on the ends [b, b + n) of their own time, in the channel and in all. Money needs no
 * person: what is recorded must be free of duplicates already. Older than the lateness: clipped like presence.
 */
export function moneyChanged(change: MoneyChange, ctx: WindowContext, out: WindowChanges): void {
  const inChannel = out.aggregate(ctx.brand, change.channel);
  const inAll = out.allChannels(ctx.brand);
  for (const window of ctx.grid.windows) {
    const bucket = Math.floor(change.at / window.slideMs);
    const from = Math.max(bucket, window.horizon);
    const to = bucket + window.ends;
    for (const aggregate of [inChannel, inAll]) {
      if (change.orders !== 0) out.add(aggregate, window.index, METRIC.orders, from, to, change.orders);
      if (change.grossMinor !== 0)
        out.add(aggregate, window.index, METRIC.gross, from, to, change.grossMinor);
      if (change.refundMinor !== 0)
        out.add(aggregate, window.index, METRIC.refunds, from, to, change.refundMinor);
    }
  }
}
