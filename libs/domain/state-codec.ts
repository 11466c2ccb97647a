/**
 * The stored form of a person's state: a head of fixed width, then a body of numbers and texts (`byte-writer.ts`).
 * Head: version (1 byte), due instant, fingerprint of the rules (8 bytes each, IEEE 754), zones (2 bytes), so
 * that the due index is rebuilt without reading the rest.
 */
import { ByteReader } from './byte-reader.js';
import { ByteWriter } from './byte-writer.js';
import { compileRules } from './compiled-rules.js';
import { DUE_NOW } from './due-index.js';
import { LINK_KINDS, personKey } from './events.js';
import type { Tier } from './facts.js';
import type { FoldFrame } from './fold-frame.js';
import { linksOf } from './links.js';
import { moneyOf, NO_MONEY } from './money.js';
import { orderOf } from './orders.js';
import { readPresence, readRecent, writePresence, writeRecent } from './presence-codec.js';
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

/** Raised with every change of the form, and `FOLD_VERSION` with it: a store of another form is folded anew. */
const VERSION = 4;
const DUE_AT = 1;
const RULES_AT = 9;
const ZONES_AT = 17;
const BODY_AT = 19;

const GUEST = 1;
const WITH_MONEY = 2;
const DEEPENED = 1;
const COHORT = 2;
/** Bits of a standing's number below the tier's. */
const TIER_SHIFT = 2;

const out = new ByteWriter();

export function encodeState(state: Relationship): Buffer {
  out.start(BODY_AT);
  out.byte((state.guest ? GUEST : 0) | (state.money === NO_MONEY ? 0 : WITH_MONEY));
  out.text(state.brand);
  out.text(state.person);
  out.list(state.links.lines, writeLine);
  out.list(state.links.reach, writeReach);
  if (state.money !== NO_MONEY) writeMoney(state.money);
  writePresence(out, state.presence);
  writeRecent(out, state.recent, state.presence);
  out.number(state.lastAt);
  out.number(state.knownSince);
  out.number(state.settledRelatedSince);
  out.list(state.standings, writeStanding);
  out.number(state.evaluatedAt);
  const bytes = out.end();
  bytes.writeUInt8(VERSION, 0);
  bytes.writeDoubleBE(state.dueAt, DUE_AT);
  bytes.writeDoubleBE(state.rulesHash, RULES_AT);
  bytes.writeUInt16BE(state.zones, ZONES_AT);
  return bytes;
}

/** @throws RangeError when the bytes are of a version that this program does not know, or damaged */
export function decodeState(bytes: Buffer): Relationship {
  const version = bytes.readUInt8(0);
  if (version !== VERSION) {
    throw new RangeError(`a state of version ${version}; this program knows ${VERSION}`);
  }
  const from = new ByteReader(bytes, BODY_AT);
  const flags = from.byte();
  const brand = from.commonText();
  const person = from.text();
  const links = readLinks(from);
  const money = (flags & WITH_MONEY) === 0 ? NO_MONEY : readMoney(from);
  const presence = readPresence(from);
  const state: Relationship = {
    key: personKey(brand, person),
    brand,
    person,
    guest: (flags & GUEST) !== 0,
    links,
    money,
    presence,
    recent: readRecent(from, presence),
    lastAt: from.number(),
    knownSince: from.number(),
    settledRelatedSince: from.number(),
    standings: from.list(() => readStanding(from)),
    evaluatedAt: from.number(),
    dueAt: bytes.readDoubleBE(DUE_AT),
    rulesHash: bytes.readDoubleBE(RULES_AT),
    zones: bytes.readUInt16BE(ZONES_AT),
  };
  from.end();
  return state;
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

function writeLine({ kind, channel, settled, toggles }: LinkLine): void {
  out.number(LINK_KINDS.indexOf(kind));
  out.nullableText(channel);
  out.byte(settled ? 1 : 0);
  // The switches of a line are all in its channel; only those of membership have one each.
  if (channel === null) out.list(toggles, writeOwnToggle);
  else out.list(toggles, writeToggle);
}

function writeReach({ channel, settled, toggles }: ReachLine): void {
  out.text(channel);
  out.byte(settled ? 1 : 0);
  out.list(toggles, writeToggle);
}

function writeOwnToggle(toggle: Toggle): void {
  out.text(toggle.channel);
  writeToggle(toggle);
}

function writeToggle({ eventId, at, contentHash, on }: Toggle): void {
  out.text(eventId);
  out.number(at);
  out.number(contentHash);
  out.byte(on ? 1 : 0);
}

function readLinks(from: ByteReader): Links {
  const lines = from.list((): LinkLine => {
    const kind = LINK_KINDS[from.number()];
    if (kind === undefined) throw new RangeError('a link of no known kind');
    const channel = from.nullableText();
    const settled = from.byte() === 1;
    return { kind, channel, toggles: from.list(() => readToggle(from, channel)), settled };
  });
  const reach = from.list((): ReachLine => {
    const channel = from.commonText();
    const settled = from.byte() === 1;
    return { channel, toggles: from.list(() => readToggle(from, channel)), settled };
  });
  return linksOf(lines, reach);
}

function readToggle(from: ByteReader, lineChannel: string | null): Toggle {
  const channel = lineChannel ?? from.commonText();
  return {
    eventId: from.text(),
    at: from.number(),
    contentHash: from.number(),
    channel,
    on: from.byte() === 1,
  };
}

function writeMoney({ orders, looseRefunds, purchases, settled }: Money): void {
  out.list(orders, writeOrder);
  out.list(looseRefunds, writeRefund);
  out.list(purchases, writePurchase);
  out.number(settled.orders);
  out.number(settled.zeroOrders);
  out.number(settled.grossMinor);
  out.number(settled.refundedMinor);
  out.nullable(settled.first);
  out.nullable(settled.last);
  out.nullable(settled.firstPositive);
  out.nullable(settled.lastPositive);
}

function readMoney(from: ByteReader): Money {
  const orders = from.list(() => readOrder(from));
  const looseRefunds = from.list(() => readRefund(from));
  const purchases = from.list(() => readPurchase(from));
  const settled: SettledMoney = {
    orders: from.number(),
    zeroOrders: from.number(),
    grossMinor: from.number(),
    refundedMinor: from.number(),
    first: from.nullable(),
    last: from.nullable(),
    firstPositive: from.nullable(),
    lastPositive: from.nullable(),
  };
  return moneyOf(orders, looseRefunds, purchases, settled);
}

function writeOrder({ orderId, lines, refunds, cancelled }: Order): void {
  out.text(orderId);
  out.list(lines, writeOrderLine);
  out.list(refunds, writeRefund);
  out.list(cancelled, writeSpan);
}

function readOrder(from: ByteReader): Order {
  const orderId = from.text();
  // What follows from the horizon of the rules is stored, the rest is made again.
  const order = orderOf(
    orderId,
    from.list(() => readOrderLine(from)),
    [],
    0,
  );
  const refunds = from.list(() => readRefund(from));
  const cancelled = from.list(() => readSpan(from));
  if (refunds.length === 0) return order;
  const refundedMinor = refunds.reduce((sum, { amountMinor }) => sum + amountMinor, 0);
  return { ...order, refunds, refundedMinor, cancelled };
}

function writeOrderLine({ lineId, at, contentHash, amountMinor, channel }: OrderLine): void {
  out.text(lineId);
  out.number(at);
  out.number(contentHash);
  out.number(amountMinor);
  out.text(channel);
}

function readOrderLine(from: ByteReader): OrderLine {
  return {
    lineId: from.commonText(),
    at: from.number(),
    contentHash: from.number(),
    amountMinor: from.number(),
    channel: from.commonText(),
  };
}

function writeRefund({ lineId, refundId, at, contentHash, amountMinor, full, channel }: Refund): void {
  out.nullableText(lineId);
  out.text(refundId);
  out.number(at);
  out.number(contentHash);
  out.number(amountMinor);
  out.byte(full ? 1 : 0);
  out.text(channel);
}

function readRefund(from: ByteReader): Refund {
  return {
    lineId: from.nullableText(),
    refundId: from.text(),
    at: from.number(),
    contentHash: from.number(),
    amountMinor: from.number(),
    full: from.byte() === 1,
    channel: from.commonText(),
  };
}

function writePurchase({ paidAt, paidPositiveAt, cancelled }: SettledPurchase): void {
  out.number(paidAt);
  out.number(paidPositiveAt);
  out.list(cancelled, writeSpan);
}

function readPurchase(from: ByteReader): SettledPurchase {
  return {
    paidAt: from.number(),
    paidPositiveAt: from.number(),
    cancelled: from.list(() => readSpan(from)),
  };
}

function writeSpan({ from, to }: Span): void {
  out.number(from);
  out.number(to);
}

function readSpan(from: ByteReader): Span {
  return { from: from.number(), to: from.number() };
}

function writeStanding({ schemeId, tier, deepened, deepenedCohort }: Standing): void {
  out.text(schemeId);
  out.byte((tier << TIER_SHIFT) | (deepened ? DEEPENED : 0) | (deepenedCohort ? COHORT : 0));
}

const TIERS: readonly Tier[] = [0, 1, 2, 3, 4, 5];

function readStanding(from: ByteReader): Standing {
  const schemeId = from.commonText();
  const bits = from.byte();
  const tier = TIERS[bits >> TIER_SHIFT];
  if (tier === undefined) throw new RangeError(`tier ${bits >> TIER_SHIFT}`);
  return { schemeId, tier, deepened: (bits & DEEPENED) !== 0, deepenedCohort: (bits & COHORT) !== 0 };
}
