/**
 * The stored form of a person's state: a head of fixed width, then compact JSON.
 * Head: version (1 byte), due instant, fingerprint of the rules (8 bytes each, IEEE 754), zones (2 bytes), so
 * that the due index is rebuilt without reading the rest.
 */
import { compileRules } from './compiled-rules.js';
import { DUE_NOW } from './due-index.js';
import { personKey, type LinkKind } from './events.js';
import type { Tier } from './facts.js';
import type { FoldFrame } from './fold-frame.js';
import { linksOf } from './links.js';
import { moneyOf, NO_MONEY } from './money.js';
import { orderOf } from './orders.js';
import { idHashOf, RecentRecords, type RecentPresence } from './recent-presence.js';
import type {
  LinkLine,
  Links,
  Money,
  Order,
  OrderLine,
  ReachLine,
  Refund,
  Relationship,
  SettledMoney,
  SettledPurchase,
  Standing,
  Toggle,
} from './relationship.js';
import type { Span } from './window-port.js';
import { presenceFromJson, presenceToJson, type PresenceJson } from './windows/presence-json.js';

/** Raised with every change of the form; `upcast` brings older ones up to it. */
const VERSION = 2;
const DUE_AT = 1;
const RULES_AT = 9;
const ZONES_AT = 17;
const BODY_AT = 19;

// Tuples instead of objects: half the size. Null stands for Infinity where an instant may be infinite.
type Instant = number | null;
type ToggleJson = [eventId: string, at: number, contentHash: number, on: 0 | 1, channel?: string];
type LineJson = [kind: LinkKind, channel: string | null, settled: 0 | 1, toggles: ToggleJson[]];
type ReachJson = [channel: string, settled: 0 | 1, toggles: ToggleJson[]];
type OrderLineJson = [lineId: string, at: number, contentHash: number, amountMinor: number, channel: string];
type RefundJson = [
  lineId: string | null,
  refundId: string,
  at: number,
  contentHash: number,
  amountMinor: number,
  full: 0 | 1,
  channel: string,
];
type SpanJson = [from: number, to: Instant];
type OrderJson = [orderId: string, lines: OrderLineJson[], refunds: RefundJson[], cancelled: SpanJson[]];
type PurchaseJson = [paidAt: number, paidPositiveAt: Instant, cancelled: SpanJson[]];
type SettledJson = [number, number, number, number, Instant, Instant, Instant, Instant];
type MoneyJson = [OrderJson[], RefundJson[], PurchaseJson[], SettledJson];
type RecentJson = [eventId: string, at: number, contentHash: number, channel: string, active: 0 | 1];
type StandingJson = [schemeId: string, tier: Tier, deepened: 0 | 1, cohort: 0 | 1];
type Body = [
  brand: string,
  person: string,
  guest: 0 | 1,
  lines: LineJson[],
  money: MoneyJson | 0,
  presence: PresenceJson | 0,
  recent: RecentJson[],
  lastAt: number,
  knownSince: Instant,
  settledRelatedSince: Instant,
  standings: StandingJson[],
  evaluatedAt: number,
  reach: ReachJson[],
];

export function encodeState(state: Relationship): Buffer {
  const body: Body = [
    state.brand,
    state.person,
    bit(state.guest),
    state.links.lines.map(lineToJson),
    state.money === NO_MONEY ? 0 : moneyToJson(state.money),
    state.presence.channels.length === 0 ? 0 : presenceToJson(state.presence),
    [...state.recent].map((one): RecentJson => [
      one.eventId,
      one.at,
      one.contentHash,
      one.channel,
      bit(one.active),
    ]),
    state.lastAt,
    instant(state.knownSince),
    instant(state.settledRelatedSince),
    state.standings.map((one): StandingJson => [
      one.schemeId,
      one.tier,
      bit(one.deepened),
      bit(one.deepenedCohort),
    ]),
    state.evaluatedAt,
    state.links.reach.map(reachToJson),
  ];
  const json = JSON.stringify(body);
  const bytes = Buffer.allocUnsafe(BODY_AT + Buffer.byteLength(json));
  bytes.writeUInt8(VERSION, 0);
  bytes.writeDoubleBE(state.dueAt, DUE_AT);
  bytes.writeDoubleBE(state.rulesHash, RULES_AT);
  bytes.writeUInt16BE(state.zones, ZONES_AT);
  bytes.write(json, BODY_AT);
  return bytes;
}

/** @throws RangeError when the bytes are of a version that this program does not know */
export function decodeState(bytes: Buffer): Relationship {
  const body = upcast(bytes.readUInt8(0), JSON.parse(bytes.toString('utf8', BODY_AT)));
  const [
    brand,
    person,
    guest,
    lines,
    money,
    presence,
    recent,
    lastAt,
    knownSince,
    related,
    standings,
    at,
    reach,
  ] = body;
  return {
    key: personKey(brand, person),
    brand,
    person,
    guest: guest === 1,
    links: linksFromJson(lines, reach),
    money: money === 0 ? NO_MONEY : moneyFromJson(money),
    presence: presenceFromJson(presence === 0 ? {} : presence),
    recent: recentFromJson(recent),
    lastAt,
    knownSince: knownSince ?? Infinity,
    settledRelatedSince: related ?? Infinity,
    standings: standings.map(([schemeId, tier, deepened, cohort]): Standing => ({
      schemeId,
      tier,
      deepened: deepened === 1,
      deepenedCohort: cohort === 1,
    })),
    evaluatedAt: at,
    dueAt: bytes.readDoubleBE(DUE_AT),
    rulesHash: bytes.readDoubleBE(RULES_AT),
    zones: bytes.readUInt16BE(ZONES_AT),
  };
}

/**
 * When a stored state is due, for rebuilding the due index.
 * @param frame   where the partition stands: who has not been looked at since its last `RulesSet` is due at once
 */
export function dueOf(bytes: Buffer, frame?: FoldFrame): number {
  if (frame !== undefined) {
    const zones = frame.zones?.length ?? bytes.readUInt16BE(ZONES_AT);
    const isCurrent =
      bytes.readDoubleBE(RULES_AT) === compileRules(frame.rules).hash &&
      bytes.readUInt16BE(ZONES_AT) === zones;
    if (!isCurrent) return DUE_NOW;
  }
  return bytes.readDoubleBE(DUE_AT);
}

/** Version 1 knew nothing of messages declined. */
function upcast(version: number, body: unknown): Body {
  if (version === VERSION) return body as Body;
  if (version === 1) return [...(body as BodyOf1), []];
  throw new RangeError(`a state of version ${version}; this program knows ${VERSION}`);
}

type BodyOf1 = Body extends [...infer Before, ReachJson[]] ? Before : never;

function recentFromJson(records: readonly RecentJson[]): RecentRecords {
  return RecentRecords.of(
    records.map(([eventId, at, contentHash, channel, active]): RecentPresence => {
      return { eventId, idHash: idHashOf(eventId), at, contentHash, channel, active: active === 1 };
    }),
  );
}

function lineToJson({ kind, channel, settled, toggles }: LinkLine): LineJson {
  return [kind, channel, bit(settled), toggles.map((one) => toggleToJson(one, channel))];
}

function reachToJson({ channel, settled, toggles }: ReachLine): ReachJson {
  return [channel, bit(settled), toggles.map((one) => toggleToJson(one, channel))];
}

/** @param channel   of all switches of the line; null where each has its own */
function toggleToJson(one: Toggle, channel: string | null): ToggleJson {
  const { eventId, at, contentHash, on } = one;
  return channel === null
    ? [eventId, at, contentHash, bit(on), one.channel]
    : [eventId, at, contentHash, bit(on)];
}

function toggleFromJson([eventId, at, contentHash, on, own]: ToggleJson, channel: string | null): Toggle {
  return { eventId, at, contentHash, channel: own ?? channel ?? '', on: on === 1 };
}

function linksFromJson(lines: readonly LineJson[], reach: readonly ReachJson[]): Links {
  return linksOf(
    lines.map(([kind, channel, settled, toggles]): LinkLine => ({
      kind,
      channel,
      toggles: toggles.map((one) => toggleFromJson(one, channel)),
      settled: settled === 1,
    })),
    reach.map(([channel, settled, toggles]): ReachLine => ({
      channel,
      toggles: toggles.map((one) => toggleFromJson(one, channel)),
      settled: settled === 1,
    })),
  );
}

function moneyToJson({ orders, looseRefunds, purchases, settled }: Money): MoneyJson {
  return [
    orders.map(({ orderId, lines, refunds, cancelled }): OrderJson => [
      orderId,
      lines.map((one): OrderLineJson => [one.lineId, one.at, one.contentHash, one.amountMinor, one.channel]),
      refunds.map(refundToJson),
      cancelled.map(spanToJson),
    ]),
    looseRefunds.map(refundToJson),
    purchases.map(({ paidAt, paidPositiveAt, cancelled }): PurchaseJson => [
      paidAt,
      instant(paidPositiveAt),
      cancelled.map(spanToJson),
    ]),
    [
      settled.orders,
      settled.zeroOrders,
      settled.grossMinor,
      settled.refundedMinor,
      settled.first,
      settled.last,
      settled.firstPositive,
      settled.lastPositive,
    ],
  ];
}

function moneyFromJson([orders, looseRefunds, purchases, settled]: MoneyJson): Money {
  return moneyOf(
    orders.map(orderFromJson),
    looseRefunds.map(refundFromJson),
    purchases.map(([paidAt, paidPositiveAt, cancelled]): SettledPurchase => ({
      paidAt,
      paidPositiveAt: paidPositiveAt ?? Infinity,
      cancelled: cancelled.map(spanFromJson),
    })),
    settledFromJson(settled),
  );
}

function orderFromJson([orderId, lines, refunds, cancelled]: OrderJson): Order {
  const lineList = lines.map(([lineId, at, contentHash, amountMinor, channel]): OrderLine => {
    return { lineId, at, contentHash, amountMinor, channel };
  });
  // What follows from the horizon of the rules is stored, the rest is made again.
  const order = orderOf(orderId, lineList, [], 0);
  if (refunds.length === 0) return order;
  const refundList = refunds.map(refundFromJson);
  const refundedMinor = refundList.reduce((sum, { amountMinor }) => sum + amountMinor, 0);
  return { ...order, refunds: refundList, refundedMinor, cancelled: cancelled.map(spanFromJson) };
}

function spanToJson({ from, to }: Span): SpanJson {
  return [from, instant(to)];
}

function spanFromJson([from, to]: SpanJson): Span {
  return { from, to: to ?? Infinity };
}

function settledFromJson(json: SettledJson): SettledMoney {
  const [orders, zeroOrders, grossMinor, refundedMinor, first, last, firstPositive, lastPositive] = json;
  return { orders, zeroOrders, grossMinor, refundedMinor, first, last, firstPositive, lastPositive };
}

function refundToJson(one: Refund): RefundJson {
  const { lineId, refundId, at, contentHash, amountMinor, full, channel } = one;
  return [lineId, refundId, at, contentHash, amountMinor, bit(full), channel];
}

function refundFromJson(json: RefundJson): Refund {
  const [lineId, refundId, at, contentHash, amountMinor, full, channel] = json;
  return { lineId, refundId, at, contentHash, amountMinor, full: full === 1, channel };
}

function bit(value: boolean): 0 | 1 {
  return value ? 1 : 0;
}

function instant(value: number): Instant {
  return value === Infinity ? null : value;
}
