/**
 * The one place that makes touchpoints: every field named, always in the same order. A spread of the head would
 * be shorter, but V8 takes microseconds for `{ ...head, more }` of this many fields, and the hot path has less
 * than one.
 */
import type {
  ContentShared,
  Engaged,
  LinkChanged,
  Noted,
  OrderPaid,
  OrderRefunded,
  PresaleDeposited,
  Reviewed,
  ShareClicked,
  Visited,
  TouchpointHead,
} from './events.js';

type Body<T> = Omit<T, keyof TouchpointHead | 'type'>;

export function linkChanged(head: TouchpointHead, body: Body<LinkChanged>): LinkChanged {
  return {
    type: 'link',
    eventId: head.eventId,
    brand: head.brand,
    person: head.person,
    guest: head.guest,
    channel: head.channel,
    at: head.at,
    arrivedAt: head.arrivedAt,
    clockShiftMs: head.clockShiftMs,
    contentHash: head.contentHash,
    origin: head.origin,
    entrySource: head.entrySource,
    campaign: head.campaign,
    staffOrBot: head.staffOrBot === true,
    link: body.link,
    on: body.on,
    groupKind: body.groupKind,
    inviter: body.inviter,
  };
}

export function visited(head: TouchpointHead, body: Body<Visited>): Visited {
  return {
    type: 'visit',
    eventId: head.eventId,
    brand: head.brand,
    person: head.person,
    guest: head.guest,
    channel: head.channel,
    at: head.at,
    arrivedAt: head.arrivedAt,
    clockShiftMs: head.clockShiftMs,
    contentHash: head.contentHash,
    origin: head.origin,
    entrySource: head.entrySource,
    campaign: head.campaign,
    staffOrBot: head.staffOrBot === true,
    surface: body.surface,
    publicDomain: body.publicDomain,
    paid: body.paid,
    dwellMs: body.dwellMs,
    itemId: body.itemId,
    roomId: body.roomId,
    shareId: body.shareId,
  };
}

export function engaged(head: TouchpointHead, body: Body<Engaged>): Engaged {
  return {
    type: 'engagement',
    eventId: head.eventId,
    brand: head.brand,
    person: head.person,
    guest: head.guest,
    channel: head.channel,
    at: head.at,
    arrivedAt: head.arrivedAt,
    clockShiftMs: head.clockShiftMs,
    contentHash: head.contentHash,
    origin: head.origin,
    entrySource: head.entrySource,
    campaign: head.campaign,
    staffOrBot: head.staffOrBot === true,
    action: body.action,
    itemId: body.itemId,
    roomId: body.roomId,
    groupId: body.groupId,
  };
}

export function orderPaid(head: TouchpointHead, body: Body<OrderPaid>): OrderPaid {
  return {
    type: 'orderPaid',
    eventId: head.eventId,
    brand: head.brand,
    person: head.person,
    guest: head.guest,
    channel: head.channel,
    at: head.at,
    arrivedAt: head.arrivedAt,
    clockShiftMs: head.clockShiftMs,
    contentHash: head.contentHash,
    origin: head.origin,
    entrySource: head.entrySource,
    campaign: head.campaign,
    staffOrBot: head.staffOrBot === true,
    orderId: body.orderId,
    lineId: body.lineId,
    amountMinor: body.amountMinor,
    presaleBalance: body.presaleBalance,
    itemId: body.itemId,
    quantity: body.quantity,
    shareId: body.shareId,
  };
}

export function orderRefunded(head: TouchpointHead, body: Body<OrderRefunded>): OrderRefunded {
  return {
    type: 'orderRefunded',
    eventId: head.eventId,
    brand: head.brand,
    person: head.person,
    guest: head.guest,
    channel: head.channel,
    at: head.at,
    arrivedAt: head.arrivedAt,
    clockShiftMs: head.clockShiftMs,
    contentHash: head.contentHash,
    origin: head.origin,
    entrySource: head.entrySource,
    campaign: head.campaign,
    staffOrBot: head.staffOrBot === true,
    orderId: body.orderId,
    lineId: body.lineId,
    refundId: body.refundId,
    amountMinor: body.amountMinor,
    full: body.full,
  };
}

export function presaleDeposited(head: TouchpointHead, body: Body<PresaleDeposited>): PresaleDeposited {
  return {
    type: 'presaleDeposit',
    eventId: head.eventId,
    brand: head.brand,
    person: head.person,
    guest: head.guest,
    channel: head.channel,
    at: head.at,
    arrivedAt: head.arrivedAt,
    clockShiftMs: head.clockShiftMs,
    contentHash: head.contentHash,
    origin: head.origin,
    entrySource: head.entrySource,
    campaign: head.campaign,
    staffOrBot: head.staffOrBot === true,
    orderId: body.orderId,
    lineId: body.lineId,
    amountMinor: body.amountMinor,
  };
}

export function reviewed(head: TouchpointHead, body: Body<Reviewed>): Reviewed {
  return {
    type: 'review',
    eventId: head.eventId,
    brand: head.brand,
    person: head.person,
    guest: head.guest,
    channel: head.channel,
    at: head.at,
    arrivedAt: head.arrivedAt,
    clockShiftMs: head.clockShiftMs,
    contentHash: head.contentHash,
    origin: head.origin,
    entrySource: head.entrySource,
    campaign: head.campaign,
    staffOrBot: head.staffOrBot === true,
    orderId: body.orderId,
    itemId: body.itemId,
    stars: body.stars,
    positive: body.positive,
    deleted: body.deleted,
  };
}

export function contentShared(head: TouchpointHead, body: Body<ContentShared>): ContentShared {
  return {
    type: 'shared',
    eventId: head.eventId,
    brand: head.brand,
    person: head.person,
    guest: head.guest,
    channel: head.channel,
    at: head.at,
    arrivedAt: head.arrivedAt,
    clockShiftMs: head.clockShiftMs,
    contentHash: head.contentHash,
    origin: head.origin,
    entrySource: head.entrySource,
    campaign: head.campaign,
    staffOrBot: head.staffOrBot === true,
    shareId: body.shareId,
    itemId: body.itemId,
    content: body.content,
  };
}

export function shareClicked(head: TouchpointHead, body: Body<ShareClicked>): ShareClicked {
  return {
    type: 'shareClicked',
    eventId: head.eventId,
    brand: head.brand,
    person: head.person,
    guest: head.guest,
    channel: head.channel,
    at: head.at,
    arrivedAt: head.arrivedAt,
    clockShiftMs: head.clockShiftMs,
    contentHash: head.contentHash,
    origin: head.origin,
    entrySource: head.entrySource,
    campaign: head.campaign,
    staffOrBot: head.staffOrBot === true,
    shareId: body.shareId,
    sharer: body.sharer,
    itemId: body.itemId,
  };
}

export function noted(head: TouchpointHead, body: Body<Noted>): Noted {
  return {
    type: 'note',
    eventId: head.eventId,
    brand: head.brand,
    person: head.person,
    guest: head.guest,
    channel: head.channel,
    at: head.at,
    arrivedAt: head.arrivedAt,
    clockShiftMs: head.clockShiftMs,
    contentHash: head.contentHash,
    origin: head.origin,
    entrySource: head.entrySource,
    campaign: head.campaign,
    staffOrBot: head.staffOrBot === true,
    note: body.note,
    on: body.on,
    role: body.role,
    assignee: body.assignee,
    inviter: body.inviter,
  };
}
