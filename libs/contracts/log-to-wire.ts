/** A log entry to the record that is written. */
import { type LogEntry, type Touchpoint, type TouchpointDetail } from '#domain';
import { type EntryExtras } from '#pipeline';
import { type WireBodies, type WireEntry, type WireHead } from './log-wire.js';

const NO_EXTRAS: EntryExtras = { detail: null, source: null };

export function toWire(entry: LogEntry, extras: EntryExtras = NO_EXTRAS): WireEntry {
  const { source } = extras;
  switch (entry.type) {
    case 'tick':
      return {
        at: entry.at,
        arrivedAt: entry.arrivedAt,
        head: null,
        body: { 'gravity.log.Tick': {} },
        source,
      };
    case 'rulesSet': {
      const body = { 'gravity.log.RulesSet': { rulesJson: entry.rulesJson } };
      return { at: entry.arrivedAt, arrivedAt: entry.arrivedAt, head: null, body, source };
    }
    case 'epochRaised': {
      const { epoch, generation, logId } = entry;
      const body = { 'gravity.log.EpochRaised': { epoch, generation, logId } };
      return { at: entry.arrivedAt, arrivedAt: entry.arrivedAt, head: null, body, source };
    }
    case 'credit': {
      const { type: _type, at, arrivedAt, ...credit } = entry;
      return { at, arrivedAt, head: null, body: { 'gravity.log.Credit': credit }, source };
    }
    default:
      return {
        at: entry.at,
        arrivedAt: entry.arrivedAt,
        head: headOf(entry, extras.detail),
        body: bodyOf(entry, extras.detail),
        source,
      };
  }
}

function headOf(entry: Touchpoint, detail: TouchpointDetail | null): WireHead {
  const context: Context = entry.type === 'link' || entry.type === 'note' ? NO_CONTEXT : entry;
  return {
    eventId: entry.eventId,
    brand: entry.brand,
    person: entry.person,
    guest: entry.guest,
    channel: entry.channel,
    clockShiftMs: entry.clockShiftMs,
    contentHash: entry.contentHash,
    origin: entry.origin,
    actor: detail?.actor ?? (entry.staffOrBot === true ? 'STAFF' : 'CUSTOMER'),
    campaign: entry.campaign,
    entrySource: entry.entrySource,
    publicDomain: entry.type === 'visit' ? entry.publicDomain : (detail?.publicDomain ?? false),
    paid: entry.type === 'visit' ? entry.paid : (detail?.paid ?? false),
    mechanism: detail?.mechanism ?? null,
    guide: detail?.guide ?? null,
    shareId: context.shareId ?? detail?.shareId ?? null,
    itemId: context.itemId ?? detail?.itemId ?? null,
    roomId: context.roomId ?? detail?.roomId ?? null,
    groupId: context.groupId ?? detail?.groupId ?? null,
    contentId: context.content ?? detail?.contentId ?? null,
  };
}

/** What a touchpoint itself may say of the things it concerns. */
const NO_CONTEXT = {};

interface Context {
  readonly shareId?: string | null;
  readonly itemId?: string | null;
  readonly roomId?: string | null;
  readonly groupId?: string | null;
  readonly content?: string | null;
}

function bodyOf(entry: Touchpoint, detail: TouchpointDetail | null): Partial<WireBodies> {
  const quantity = detail?.quantity ?? null;
  switch (entry.type) {
    case 'link': {
      const { link, on, groupKind, inviter } = entry;
      return { 'gravity.log.Link': { link, on, groupKind, inviter } };
    }
    case 'visit':
      return { 'gravity.log.Visit': { surface: entry.surface, dwellMs: entry.dwellMs } };
    case 'engagement':
      return { 'gravity.log.Engagement': { action: entry.action, couponId: detail?.couponId ?? null } };
    case 'orderPaid': {
      const { orderId, lineId, amountMinor, presaleBalance } = entry;
      const body = { orderId, lineId, amountMinor, presaleBalance, quantity: entry.quantity };
      return { 'gravity.log.OrderPaid': body };
    }
    case 'orderRefunded': {
      const { orderId, lineId, refundId, amountMinor, full } = entry;
      return { 'gravity.log.OrderRefunded': { orderId, lineId, refundId, amountMinor, full, quantity } };
    }
    case 'presaleDeposit': {
      const { orderId, lineId, amountMinor } = entry;
      return { 'gravity.log.PresaleDeposit': { orderId, lineId, amountMinor, quantity } };
    }
    case 'review': {
      const { orderId, stars, positive, deleted } = entry;
      const reviewId = detail?.reviewId ?? null;
      return { 'gravity.log.Review': { orderId, reviewId, stars, positive, deleted } };
    }
    case 'shared':
      return { 'gravity.log.Shared': shareContext(detail) };
    case 'shareClicked':
      return { 'gravity.log.ShareClicked': shareClickedBody(entry.sharer, detail) };
    case 'note': {
      const { note, on, role, assignee, inviter } = entry;
      return { 'gravity.log.Note': { note, on, role, assignee, inviter, linkedPerson: null } };
    }
  }
}

function shareContext(detail: TouchpointDetail | null): WireBodies['gravity.log.Shared'] {
  return {
    parentShareId: detail?.parentShareId ?? null,
    contentKind: detail?.contentKind ?? null,
    fissionForm: detail?.fissionForm ?? null,
  };
}

function shareClickedBody(
  sharer: string | null,
  detail: TouchpointDetail | null,
): WireBodies['gravity.log.ShareClicked'] {
  const { parentShareId, contentKind, fissionForm } = shareContext(detail);
  return { sharer, parentShareId, contentKind, fissionForm };
}
