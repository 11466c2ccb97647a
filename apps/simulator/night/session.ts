/** One person in one channel for a few minutes: what a producer would send of it. */
import type {
  LinkKind,
  SourceEngagement,
  SourceHead,
  SourceOrder,
  SourceRelation,
  SourceTouchpoint,
  SourceVisit,
} from '#domain';
import { CAMPAIGN, CHANNELS, SOURCES, type Brand, type ChannelHabits } from './market.js';
import type { SeededRandom } from './seeded-random.js';
import type { Shopper } from './shoppers.js';

export interface SessionSetting {
  readonly brand: Brand;
  readonly shopper: Shopper;
  /** Begin of the session, ms. */
  readonly at: number;
  /** Bursts sell more; 1 is an ordinary hour. */
  readonly heat: number;
  readonly isPromotion: boolean;
  readonly origin: SourceHead['origin'];
  nextId(): string;
}

/** What a session leaves behind: events in time order, and refunds that will come later. */
export interface Session {
  readonly events: readonly SourceTouchpoint[];
  readonly refunds: readonly SourceOrder[];
}

const STEP_MS = 25_000;
const REFUND_RATE = 0.06;
const REFUND_DELAY_MS = 26 * 3_600_000;
const LEAVE_RATE = 0.012;
/** Of those in relation with the brand, how many decline messages in the channel they are in, and take it back. */
const DECLINE_RATE = 0.01;
const WELCOME_RATE = 0.1;

export function playSession(setting: SessionSetting, random: SeededRandom): Session {
  return new SessionScript(setting, random).play();
}

class SessionScript {
  readonly #events: SourceTouchpoint[] = [];
  readonly #refunds: SourceOrder[] = [];
  readonly #channel: ChannelHabits;
  readonly #source: (typeof SOURCES)[number][0];
  #at: number;

  constructor(
    private readonly setting: SessionSetting,
    private readonly random: SeededRandom,
  ) {
    this.#channel = random.weighted(CHANNELS.map((habits) => [habits, habits.weight] as const));
    this.#source = random.weighted(SOURCES);
    this.#at = setting.at;
  }

  play(): Session {
    const { random } = this;
    const { shopper, heat } = this.setting;
    const isRelated = shopper.links.size > 0;
    this.#visit();
    if (random.chance(0.3)) this.#visit();
    // Who is in relation with the brand does more: this is what gravity measures.
    const eagerness = isRelated ? 1.5 : 0.6;
    if (random.chance(Math.min(0.95, this.#channel.activeRate * eagerness))) this.#engage();
    if (!shopper.links.has(this.#channel.link) && random.chance(this.#channel.linkRate))
      this.#toggle(this.#channel.link, true);
    if (isRelated && !shopper.links.has('MEMBER') && random.chance(0.05)) this.#toggle('MEMBER', true);
    const loyalty = shopper.links.has('MEMBER') ? 1.8 : 0.7;
    if (random.chance(Math.min(0.5, this.#channel.buyRate * loyalty * heat))) this.#buy();
    const leaving = [...shopper.links][0];
    if (leaving !== undefined && random.chance(LEAVE_RATE)) this.#toggle(leaving, false);
    if (isRelated) this.#messages();
    return { events: this.#events, refunds: this.#refunds };
  }

  #head(): SourceHead {
    this.#at += Math.floor(this.random.next() * STEP_MS);
    return headAt(this.setting, this.#channel, this.#source, this.#at);
  }

  #visit(): void {
    const visit: SourceVisit = {
      ...this.#head(),
      type: 'visit',
      surface: this.#channel.surface,
      dwellMs: Math.floor(this.random.exponential(40_000)),
    };
    this.#events.push(visit);
  }

  #engage(): void {
    const action = this.random.weighted(this.#channel.actions.map((one) => [one, 1] as const));
    const couponId = action.startsWith('COUPON') ? 'c-618-20' : null;
    const engagement: SourceEngagement = { ...this.#head(), type: 'engagement', action, couponId };
    this.#events.push(engagement);
  }

  #toggle(link: LinkKind, on: boolean): void {
    const { shopper } = this.setting;
    if (on) shopper.links.add(link);
    else shopper.links.delete(link);
    this.#relate(link, on);
  }

  /** Whether messages are welcome in this channel. */
  #messages(): void {
    const { random } = this;
    const { declined } = this.setting.shopper;
    const { channel } = this.#channel;
    if (declined.has(channel)) {
      if (!random.chance(WELCOME_RATE)) return;
      declined.delete(channel);
      this.#relate('REACH', true);
    } else if (random.chance(DECLINE_RATE)) {
      declined.add(channel);
      this.#relate('REACH', false);
    }
  }

  #relate(link: SourceRelation['link'], on: boolean): void {
    const relation: SourceRelation = {
      ...this.#head(),
      type: 'relation',
      link,
      on,
      groupKind: link === 'GROUP' ? 'NORMAL' : null,
      inviter: null,
      role: null,
      assignee: null,
      linkedPerson: null,
    };
    this.#events.push(relation);
  }

  #buy(): void {
    const { random, setting } = this;
    setting.shopper.orders += 1;
    const orderId = `o-${setting.nextId()}`;
    const lines = random.chance(0.25) ? 2 : 1;
    for (let line = 1; line <= lines; line += 1) {
      const amountMinor = Math.max(100, Math.round(random.skewed(setting.brand.priceMinor)));
      const paid = orderEvent(this.#head(), 'PAID', orderId, `${line}`, amountMinor);
      this.#events.push(paid);
      if (random.chance(REFUND_RATE)) this.#refunds.push(this.#refundOf(paid, amountMinor));
    }
  }

  #refundOf(paid: SourceOrder, amountMinor: number): SourceOrder {
    const { random } = this;
    const at = paid.occurredAt + 60_000 + random.exponential(REFUND_DELAY_MS);
    const isFull = random.chance(0.7);
    const refunded = isFull ? amountMinor : Math.ceil(amountMinor * (0.2 + random.next() * 0.5));
    const head = {
      ...paid,
      eventId: `r-${paid.eventId}`,
      occurredAt: Math.floor(at),
      sentAt: Math.floor(at),
    };
    return {
      ...orderEvent(head, 'REFUNDED', paid.orderId ?? '', paid.lineId ?? '', refunded),
      refundId: head.eventId,
      full: isFull,
    };
  }
}

function headAt(
  setting: SessionSetting,
  channel: ChannelHabits,
  origin: (typeof SOURCES)[number][0],
  at: number,
): SourceHead {
  return {
    eventId: setting.nextId(),
    brand: setting.brand.brand,
    person: setting.shopper.id,
    channel: channel.channel,
    occurredAt: at,
    sentAt: at,
    origin: setting.origin,
    actor: setting.shopper.actor,
    campaign: setting.isPromotion ? CAMPAIGN : null,
    entrySource: origin.source,
    publicDomain: origin.isPublic,
    paid: origin.isPaid,
    mechanism: null,
    guide: null,
    shareId: null,
    itemId: channel.surface === 'ITEM' ? `item-${at % 97}` : null,
    roomId: channel.channel === 'live' ? `${setting.brand.brand}-main` : null,
    groupId: channel.channel === 'group' ? `g-${setting.shopper.id.length % 5}` : null,
    contentId: null,
  };
}

function orderEvent(
  head: SourceHead,
  kind: 'PAID' | 'REFUNDED',
  orderId: string,
  lineId: string,
  amountMinor: number,
): SourceOrder {
  const { type: _type, ...rest } = { type: null, ...head };
  return {
    ...rest,
    type: 'order',
    kind,
    orderId,
    lineId,
    refundId: null,
    amountMinor,
    currency: null,
    quantity: 1,
    full: false,
    reviewId: null,
    stars: null,
    positive: null,
  };
}
