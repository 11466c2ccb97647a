/** One event of one person: state × event → state, and what that changes in the figures. Pure. */
import { refundHorizonMs } from './compiled-rules.js';
import {
  personKey,
  type LinkChanged,
  type Noted,
  type OrderPaid,
  type OrderRefunded,
  type Touchpoint,
} from './events.js';
import type { FoldContext } from './fold-context.js';
import {
  findReach,
  findToggle,
  NO_RELATION,
  withoutReach,
  withoutToggle,
  withReach,
  withToggle,
} from './links.js';
import { NO_MONEY, withPayment, withRefund, type MoneySink } from './money.js';
import { idHashOf, RecentRecords, withoutPresence, type RecentPresence } from './recent-presence.js';
import { draftOf, type Draft, type Links, type Relationship } from './relationship.js';
import { buyersChanged } from './windows/buyers-changed.js';
import { moneyChanged } from './windows/money-changed.js';
import { linksChanged, presenceReplaced } from './windows/person-replaced.js';
import { NO_PRESENCE } from './windows/presence.js';
import { recordPresence } from './windows/record-presence.js';
import type { WindowContext } from './windows/window-grid.js';

/** What an event did to a person. */
export interface Step {
  /** Null: nothing at all. */
  readonly after: Draft | null;
  /** False: it was known already, or another record of its id has precedence. */
  readonly news: boolean;
  /** The earliest instant (ms) from which on links or money differ; Infinity when they do not. */
  readonly changedFrom: number;
}

function stranger({ brand, person, guest }: Touchpoint): Draft {
  return {
    key: personKey(brand, person),
    brand,
    person,
    guest,
    links: NO_RELATION,
    money: NO_MONEY,
    presence: NO_PRESENCE,
    recent: RecentRecords.NONE,
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

/**
 * V8 gives each object copies of its own of the numbers beyond 32 bits in it, as long as the field has never held
 * anything else. Once it has, the versions of a state share those that an event does not change: five objects and a
 * third of the memory that each event takes.
 */
function shareNumbers(): void {
  const { lastAt, ...rest } = stranger({ brand: '', person: '', guest: true } as Touchpoint);
  const none = null as unknown as number;
  const numbers = { knownSince: none, settledRelatedSince: none, evaluatedAt: none, dueAt: none };
  draftOf({ ...rest, ...numbers, lastAt, rulesHash: none });
}
shareNumbers();

const NOTHING: Step = { after: null, news: false, changedFrom: Infinity };

/** @param before   undefined for somebody of whom nothing is known */
export function step(before: Relationship | undefined, event: Touchpoint, ctx: FoldContext): Step {
  const isMoney = event.type === 'orderPaid' || event.type === 'orderRefunded';
  if ((event.guest && !isMoney) || isSettledReplay(event, ctx)) return NOTHING;
  const work = new PersonStep(before, event, ctx);
  if (isMoney) work.money(event);
  if (!event.guest) {
    if (event.type === 'link') work.link(event);
    else if (event.type === 'note') work.reach(event);
    else work.meet(event.type !== 'visit');
  }
  return work.done(isMoney || event.type === 'link');
}

/**
 * A replay comes in the order of time, so what lies behind the refund horizon when it comes has been replayed
 * before: its order is settled, and can no longer be recognised by its id.
 */
function isSettledReplay(event: Touchpoint, { retention }: FoldContext): boolean {
  return event.origin === 'REPLAY' && event.at < retention.orders;
}

/** The parts of one step over one draft. */
class PersonStep {
  private readonly after: Draft;
  private readonly windows: WindowContext;
  private news = false;
  private changedFrom = Infinity;

  constructor(
    before: Relationship | undefined,
    private readonly event: Touchpoint,
    private readonly ctx: FoldContext,
  ) {
    this.after = before === undefined ? stranger(event) : draftOf(before);
    this.windows = ctx.windowsOf(event.brand);
  }

  money(event: OrderPaid | OrderRefunded): void {
    const { brand } = event;
    const { out } = this.ctx;
    const sink: MoneySink = (change) => {
      if (change.at < this.changedFrom) this.changedFrom = change.at;
      const { channel, at, orders, grossMinor, refundMinor } = change;
      out.days.push({ type: 'money', brand, channel, at, orders, grossMinor, refundMinor, zone: null });
      moneyChanged({ brand, channel, at, orders, grossMinor, refundMinor }, this.windows, out.windows);
    };
    const { money } = this.after;
    const horizonMs = refundHorizonMs(this.ctx.rules.rules);
    this.after.money =
      event.type === 'orderPaid'
        ? withPayment(money, event, horizonMs, sink)
        : withRefund(money, event, horizonMs, sink);
    if (this.after.money === money) return;
    this.news = true;
    if (!event.guest) buyersChanged(money.orders, this.after.money.orders, this.windows, out.windows);
  }

  link(event: LinkChanged): void {
    const { eventId, at, contentHash, channel, on } = event;
    const idHash = idHashOf(eventId);
    const known = this.after.recent.find(eventId, idHash) ?? findToggle(this.after.links, eventId);
    if (known !== undefined && !precedes(event, known)) return;
    if (known !== undefined) this.takeBack(known, idHash);
    const links = withToggle(this.after.links, event.link, { eventId, at, contentHash, channel, on });
    if (links !== this.after.links) this.changedFrom = Math.min(this.changedFrom, at);
    this.replaceLinks(links);
    this.see(true, idHash);
  }

  /** Messages in a channel are welcome, or declined: no link and no presence, only Capital that can be reached. */
  reach({ eventId, at, contentHash, channel, on }: Noted): void {
    const { after, ctx } = this;
    const known = findReach(after.links, eventId);
    if (known !== undefined && !precedes({ at, contentHash }, known)) return;
    const left = known === undefined ? after.links : withoutReach(after.links, eventId);
    const links = withReach(left, { eventId, at, contentHash, channel, on });
    if (links === after.links) return;
    this.news = true;
    linksChanged(after.links.view, links.view, after.presence, this.windows, ctx.out.windows);
    after.links = links;
  }

  /** The person was in a channel (FAST+ section 4). */
  meet(active: boolean): void {
    const idHash = idHashOf(this.event.eventId);
    const known = this.after.recent.find(this.event.eventId, idHash);
    if (known !== undefined && !precedes(this.event, known)) return;
    if (known !== undefined) this.takeBack(known, idHash);
    this.see(active, idHash);
  }

  /** @param isKnown   the event is of a kind that makes its person known */
  done(isKnown: boolean): Step {
    const { after, event } = this;
    // Kept of any record, whether it counts or not, so that its order among the others does not matter.
    const isLatest = event.at > after.lastAt;
    if (isLatest) after.lastAt = event.at;
    if (isKnown && event.at < after.knownSince) {
      after.knownSince = event.at;
      this.changedFrom = Math.min(this.changedFrom, event.at);
    }
    if (!this.news && !isLatest && this.changedFrom === Infinity) return NOTHING;
    return { after, news: this.news, changedFrom: this.changedFrom };
  }

  /** The brand's own staff and bots are never present; without windows nobody asks who is. */
  private see(active: boolean, idHash: number): void {
    this.news = true;
    const { event, after } = this;
    if (event.staffOrBot === true || this.ctx.grid.windows.length === 0) return;
    const { eventId, at, contentHash, channel } = event;
    const { retention, out } = this.ctx;
    const { view } = after.links;
    after.presence = recordPresence(after.presence, channel, at, active, view, this.windows, out.windows);
    const record = { eventId, at, contentHash, channel, active };
    after.recent = after.recent.with(record, idHash, retention.recent);
  }

  /** Takes back a record, as presence and as a link, because another one of its id has precedence. */
  private takeBack(record: Pick<RecentPresence, 'eventId' | 'at'>, idHash: number): void {
    const { after, ctx } = this;
    if (findToggle(after.links, record.eventId) !== undefined) {
      this.changedFrom = Math.min(this.changedFrom, record.at);
      this.replaceLinks(withoutToggle(after.links, record.eventId));
    }
    const met = after.recent.find(record.eventId, idHash);
    if (met === undefined) return;
    const former = after.presence;
    after.recent = after.recent.without(record.eventId);
    after.presence = withoutPresence(former, met, after.recent, ctx.grid);
    presenceReplaced(former, after.presence, after.links.view, this.windows, ctx.out.windows);
  }

  private replaceLinks(links: Links): void {
    const { after, ctx } = this;
    const { view: before } = after.links;
    if (links === after.links) return;
    ctx.out.days.push({ type: 'links', brand: after.brand, before, after: links.view, zone: null });
    linksChanged(before, links.view, after.presence, this.windows, ctx.out.windows);
    after.links = links;
  }
}

function precedes(
  a: { readonly at: number; readonly contentHash: number },
  b: { readonly at: number; readonly contentHash: number },
): boolean {
  return a.at < b.at || (a.at === b.at && a.contentHash < b.contentHash);
}
