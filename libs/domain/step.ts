/** One event of one person: state × event → state, and what that changes in the figures. Pure. */
import { refundHorizonMs } from './compiled-rules.js';
import type { LinkChanged, OrderPaid, OrderRefunded, Touchpoint } from './events.js';
import type { FoldContext } from './fold-context.js';
import { findToggle, NO_RELATION, withoutToggle, withToggle } from './links.js';
import { NO_MONEY, withPayment, withRefund, type MoneySink } from './money.js';
import { findRecent, withoutPresence, withoutRecent, withRecent } from './recent-presence.js';
import type { Links, RecentPresence, Relationship } from './relationship.js';
import { moneyChanged } from './windows/money-changed.js';
import { linksChanged, presenceReplaced } from './windows/person-replaced.js';
import { NO_PRESENCE } from './windows/presence.js';
import { recordPresence } from './windows/record-presence.js';
import type { WindowContext } from './windows/window-grid.js';

/** What an event did to a person. */
export interface Step {
  readonly after: Relationship;
  /** False: it was known already, or another record of its id has precedence. */
  readonly news: boolean;
  /** The earliest instant (ms) from which on links or money differ; Infinity when they do not. */
  readonly changedFrom: number;
}

/** Somebody of whom nothing is known. */
export function stranger(brand: string, person: string, guest: boolean): Relationship {
  return {
    brand,
    person,
    guest,
    links: NO_RELATION,
    money: NO_MONEY,
    presence: NO_PRESENCE,
    recent: [],
    lastAt: -Infinity,
    knownSince: Infinity,
    settledRelatedSince: Infinity,
    standings: [],
    evaluatedAt: -Infinity,
    dueAt: Infinity,
    rulesHash: 0,
    zones: 0,
  };
}

export function step(before: Relationship, event: Touchpoint, ctx: FoldContext): Step {
  if (isSettledReplay(event, ctx)) return unchanged(before);
  const done = stepByType(before, event, ctx);
  // Becoming known is a change of the stocks, even by a record that does not count otherwise.
  return done.after.knownSince < before.knownSince && event.at < done.changedFrom
    ? { ...done, changedFrom: event.at }
    : done;
}

function stepByType(before: Relationship, event: Touchpoint, ctx: FoldContext): Step {
  const windows: WindowContext = { grid: ctx.grid, brand: event.brand };
  switch (event.type) {
    case 'orderPaid':
    case 'orderRefunded': {
      const paid = stepMoney(before, event, windows, ctx);
      if (event.guest) return paid;
      const met = stepPresence(paid.after, event, true, windows, ctx);
      return { after: met.after, news: paid.news || met.news, changedFrom: paid.changedFrom };
    }
    case 'link':
      return event.guest ? unchanged(before) : stepLink(before, event, windows, ctx);
    case 'visit':
      return event.guest ? unchanged(before) : stepPresence(before, event, false, windows, ctx);
    case 'engagement':
    case 'presaleDeposit':
    case 'review':
    case 'shared':
    case 'shareClicked':
      return event.guest ? unchanged(before) : stepPresence(before, event, true, windows, ctx);
  }
}

function unchanged(before: Relationship): Step {
  return { after: before, news: false, changedFrom: Infinity };
}

/**
 * A replay comes in the order of time, so what lies behind the refund horizon when it comes has been replayed
 * before: its order is settled, and can no longer be recognised by its id.
 */
function isSettledReplay(event: Touchpoint, { rules, watermark }: FoldContext): boolean {
  return event.origin === 'REPLAY' && event.at < watermark - refundHorizonMs(rules.rules);
}

function stepMoney(
  before: Relationship,
  event: OrderPaid | OrderRefunded,
  windows: WindowContext,
  { out }: FoldContext,
): Step {
  let changedFrom = Infinity;
  const sink: MoneySink = (change) => {
    if (change.at < changedFrom) changedFrom = change.at;
    const { channel, at, orders, grossMinor, refundMinor } = change;
    out.days.push({
      type: 'money',
      brand: event.brand,
      channel,
      at,
      orders,
      grossMinor,
      refundMinor,
      zone: null,
    });
    moneyChanged({ brand: event.brand, channel, at, orders, grossMinor, refundMinor }, windows, out.windows);
  };
  const money =
    event.type === 'orderPaid'
      ? withPayment(before.money, event, sink)
      : withRefund(before.money, event, sink);
  return { after: seen(before, event, { money }), news: money !== before.money, changedFrom };
}

function stepLink(before: Relationship, event: LinkChanged, windows: WindowContext, ctx: FoldContext): Step {
  const known = findRecent(before.recent, event.eventId) ?? findToggle(before.links, event.eventId);
  if (known !== undefined && !precedes(event, known)) {
    return { after: seen(before, event, {}), news: false, changedFrom: Infinity };
  }
  const corrected = known === undefined ? before : withoutRecord(before, known, windows, ctx);
  const { eventId, at, contentHash, channel, on } = event;
  const links = withToggle(corrected.links, event.link, { eventId, at, contentHash, channel, on });
  replaceLinks(corrected, links, windows, ctx);
  const after = meet(seen(corrected, event, { links }), event, true, windows, ctx);
  const changedFrom = links === before.links ? Infinity : Math.min(at, known?.at ?? Infinity);
  return { after, news: true, changedFrom };
}

function stepPresence(
  before: Relationship,
  event: Touchpoint,
  active: boolean,
  windows: WindowContext,
  ctx: FoldContext,
): Step {
  const known = findRecent(before.recent, event.eventId);
  if (known !== undefined && !precedes(event, known)) {
    return { after: seen(before, event, {}), news: false, changedFrom: Infinity };
  }
  if (known === undefined) {
    const after = meet(seen(before, event, {}), event, active, windows, ctx);
    return { after, news: true, changedFrom: Infinity };
  }
  const corrected = withoutRecord(before, known, windows, ctx);
  const changedFrom = corrected.links === before.links ? Infinity : known.at;
  return { after: meet(seen(corrected, event, {}), event, active, windows, ctx), news: true, changedFrom };
}

/** Takes back a record, as presence and as a link, because another one of its id has precedence. */
function withoutRecord(
  before: Relationship,
  record: Pick<RecentPresence, 'eventId'>,
  windows: WindowContext,
  ctx: FoldContext,
): Relationship {
  const links =
    findToggle(before.links, record.eventId) === undefined
      ? before.links
      : withoutToggle(before.links, record.eventId);
  replaceLinks(before, links, windows, ctx);
  const met = findRecent(before.recent, record.eventId);
  if (met === undefined) return { ...before, links };
  const recent = withoutRecent(before.recent, record.eventId);
  const presence = withoutPresence(before.presence, met, recent, ctx.grid);
  presenceReplaced(before.presence, presence, links.view, windows, ctx.out.windows);
  return { ...before, links, recent, presence };
}

function replaceLinks(
  before: Relationship,
  links: Links,
  windows: WindowContext,
  { out }: FoldContext,
): void {
  if (links === before.links) return;
  out.days.push({
    type: 'links',
    brand: before.brand,
    before: before.links.view,
    after: links.view,
    zone: null,
  });
  linksChanged(before.links.view, links.view, before.presence, windows, out.windows);
}

/** The person was in a channel (FAST+ section 4). The brand's own staff and bots never are. */
function meet(
  person: Relationship,
  event: Touchpoint,
  active: boolean,
  windows: WindowContext,
  { retention, out }: FoldContext,
): Relationship {
  if (event.staffOrBot === true) return person;
  const { eventId, at, contentHash, channel } = event;
  const presence = recordPresence(
    person.presence,
    channel,
    at,
    active,
    person.links.view,
    windows,
    out.windows,
  );
  const recent = withRecent(person.recent, { eventId, at, contentHash, channel, active }, retention.recent);
  return { ...person, presence, recent };
}

/** What is kept of any record, whether it counts or not: so that its order among the others does not matter. */
function seen(
  person: Relationship,
  event: Touchpoint,
  parts: Partial<Pick<Relationship, 'links' | 'money'>>,
): Relationship {
  const isKnown = event.type === 'link' || event.type === 'orderPaid' || event.type === 'orderRefunded';
  const lastAt = Math.max(person.lastAt, event.at);
  const knownSince = isKnown ? Math.min(person.knownSince, event.at) : person.knownSince;
  if (
    lastAt === person.lastAt &&
    knownSince === person.knownSince &&
    (parts.links ?? person.links) === person.links &&
    (parts.money ?? person.money) === person.money
  ) {
    return person;
  }
  return { ...person, ...parts, lastAt, knownSince };
}

function precedes(
  a: { readonly at: number; readonly contentHash: number },
  b: { readonly at: number; readonly contentHash: number },
): boolean {
  return a.at < b.at || (a.at === b.at && a.contentHash < b.contentHash);
}
