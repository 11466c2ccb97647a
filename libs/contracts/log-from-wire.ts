/** The record that was read to a log entry: the general way, for the raw facts and for older versions. */
import {
  contentShared,
  engaged,
  linkChanged,
  NOTE_KINDS,
  noted,
  orderPaid,
  orderRefunded,
  presaleDeposited,
  reviewed,
  shareClicked,
  visited,
  UNKNOWN_SYMBOL,
  type LogEntry,
  type Touchpoint,
  type TouchpointDetail,
  type TouchpointHead,
} from '#domain';
import { LogCorruptError, type DetailedEntry } from '#pipeline';
import type { WireBodies, WireEntry, WireHead } from './log-wire.js';

const NEWER = 'written by a newer version of this software';

export function fromWire(wire: WireEntry): DetailedEntry {
  const { head, body, source } = wire;
  if (head === null) return { entry: controlOf(wire), detail: null, source };
  const entry = touchpointOf(headOf(wire, head), head, body);
  return { entry, detail: detailOf(head, body), source };
}

function controlOf(wire: WireEntry): LogEntry {
  const { at, arrivedAt, body } = wire;
  if (body['gravity.log.Tick'] !== undefined) return { type: 'tick', at, arrivedAt };
  const rules = body['gravity.log.RulesSet'];
  if (rules !== undefined) return { type: 'rulesSet', rulesJson: rules.rulesJson, arrivedAt };
  const epoch = body['gravity.log.EpochRaised'];
  if (epoch !== undefined) {
    const { generation, logId } = epoch;
    return { type: 'epochRaised', epoch: epoch.epoch, generation, logId, arrivedAt };
  }
  const credit = body['gravity.log.Credit'];
  if (credit !== undefined) return { type: 'credit', at, arrivedAt, ...credit };
  throw new LogCorruptError('a touchpoint without a head');
}

function headOf(wire: WireEntry, head: WireHead): TouchpointHead {
  return {
    eventId: head.eventId,
    brand: head.brand,
    person: head.person,
    guest: head.guest,
    channel: head.channel,
    at: wire.at,
    arrivedAt: wire.arrivedAt,
    clockShiftMs: head.clockShiftMs,
    contentHash: head.contentHash,
    origin: head.origin,
    entrySource: head.entrySource,
    campaign: head.campaign,
    staffOrBot: head.actor !== 'CUSTOMER',
  };
}

function touchpointOf(head: TouchpointHead, wire: WireHead, body: Partial<WireBodies>): Touchpoint {
  const { shareId, itemId, roomId, groupId, publicDomain, paid } = wire;
  const link = body['gravity.log.Link'];
  if (link !== undefined) {
    const { on, inviter } = link;
    return linkChanged(head, { link: known(link.link), on, groupKind: known(link.groupKind), inviter });
  }
  const visit = body['gravity.log.Visit'];
  if (visit !== undefined) {
    const surface = known(visit.surface);
    const { dwellMs } = visit;
    return visited(head, { surface, publicDomain, paid, dwellMs, itemId, roomId, shareId });
  }
  const engagement = body['gravity.log.Engagement'];
  if (engagement !== undefined) {
    return engaged(head, { action: known(engagement.action), itemId, roomId, groupId });
  }
  const order = body['gravity.log.OrderPaid'];
  if (order !== undefined) {
    const { orderId, lineId, amountMinor, presaleBalance, quantity } = order;
    return orderPaid(head, { orderId, lineId, amountMinor, presaleBalance, itemId, quantity, shareId });
  }
  const refund = body['gravity.log.OrderRefunded'];
  if (refund !== undefined) return orderRefunded(head, refund);
  const deposit = body['gravity.log.PresaleDeposit'];
  if (deposit !== undefined) return presaleDeposited(head, deposit);
  const review = body['gravity.log.Review'];
  if (review !== undefined) {
    const { orderId, stars, positive, deleted } = review;
    return reviewed(head, { orderId, itemId, stars, positive, deleted });
  }
  const note = body['gravity.log.Note'];
  if (note !== undefined) {
    // Identities and erasures have their symbols, but a fold that does not act upon them must not go past them.
    if (!NOTE_KINDS.includes(note.note)) throw new LogCorruptError(NEWER);
    const { on, assignee, inviter } = note;
    return noted(head, { note: note.note, on, role: known(note.role), assignee, inviter });
  }
  return shareTouchpointOf(head, wire, body);
}

function shareTouchpointOf(head: TouchpointHead, wire: WireHead, body: Partial<WireBodies>): Touchpoint {
  const { shareId, itemId, contentId } = wire;
  if (shareId === null) throw new LogCorruptError('a head whose body is not a touchpoint');
  if (body['gravity.log.Shared'] !== undefined) {
    return contentShared(head, { shareId, itemId, content: contentId });
  }
  const clicked = body['gravity.log.ShareClicked'];
  if (clicked === undefined) throw new LogCorruptError('a head whose body is not a touchpoint');
  return shareClicked(head, { shareId, sharer: clicked.sharer, itemId });
}

function detailOf(head: WireHead, body: Partial<WireBodies>): TouchpointDetail {
  const money =
    body['gravity.log.OrderPaid'] ?? body['gravity.log.OrderRefunded'] ?? body['gravity.log.PresaleDeposit'];
  const share = body['gravity.log.Shared'] ?? body['gravity.log.ShareClicked'];
  return {
    actor: head.actor,
    publicDomain: head.publicDomain,
    paid: head.paid,
    mechanism: head.mechanism,
    guide: head.guide,
    shareId: head.shareId,
    itemId: head.itemId,
    roomId: head.roomId,
    groupId: head.groupId,
    contentId: head.contentId,
    couponId: body['gravity.log.Engagement']?.couponId ?? null,
    quantity: money?.quantity ?? null,
    reviewId: body['gravity.log.Review']?.reviewId ?? null,
    parentShareId: share?.parentShareId ?? null,
    contentKind: share?.contentKind ?? null,
    fissionForm: share?.fissionForm ?? null,
  };
}

/** A symbol from a newer version of the log would be folded wrongly, so it stops the partition. */
function known<T extends string | null>(symbol: T): T {
  if (symbol === UNKNOWN_SYMBOL) throw new LogCorruptError(NEWER);
  return symbol;
}
