/** The figures of one window from touchpoints, by the words of FAST+: what the whole fold is held against. */
import { ALL_CHANNELS, type OrderPaid, type OrderRefunded, type Rules, type Touchpoint } from '#domain';
import { distinct, NaivePerson } from './naive-person.js';
import type { NaiveFigures } from './naive-windows.js';

interface Person {
  readonly id: string;
  readonly links: NaivePerson;
  /** Instants at which a link may begin or end, of those at which one is live. */
  readonly relatedSwitches: readonly number[];
  readonly presence: readonly Touchpoint[];
  /** The last word before `t` on messages in the channel was no. */
  readonly hasDeclined: (channel: string, t: number) => boolean;
}

interface Brand {
  readonly persons: readonly Person[];
  readonly orders: readonly OrderPaid[];
  readonly payments: readonly OrderPaid[];
  readonly refunds: readonly OrderRefunded[];
}

/** @param records   all of one brand, in any order */
export function naiveTouchpointWindow(
  records: readonly Touchpoint[],
  rules: Rules,
): (channel: string, from: number, to: number) => NaiveFigures {
  const brand = brandOf(records, rules);
  return (channel, from, to) => {
    const here = (of: { readonly channel: string }) => channel === ALL_CHANNELS || of.channel === channel;
    const within = (of: { readonly at: number; readonly channel: string }) =>
      of.at >= from && of.at < to && here(of);
    const visitors = brand.persons.filter(({ presence }) => presence.some(within));
    const active = visitors.filter(({ presence }) =>
      presence.some((event) => event.type !== 'visit' && within(event)),
    );
    const related = new Set(
      brand.persons.filter(
        ({ links, relatedSwitches }) =>
          links.isRelated(from) || relatedSwitches.some((at) => at > from && at < to),
      ),
    );
    const orders = brand.orders.filter(within);
    return {
      visitors: visitors.length,
      active: active.length,
      active_related: active.filter((person) => related.has(person)).length,
      visitors_related: visitors.filter((person) => related.has(person)).length,
      capital: brand.persons.filter((person) => linkedIn(person, to).some(here)).length,
      capital_reachable: brand.persons.filter((person) =>
        linkedIn(person, to).some((link) => here(link) && !person.hasDeclined(link.channel, to)),
      ).length,
      orders: orders.length,
      buyers: new Set(orders.filter(({ guest }) => !guest).map(({ person }) => person)).size,
      gmv_gross_minor: sumOf(brand.payments.filter(within)),
      refunds_minor: sumOf(brand.refunds.filter(within)),
    };
  };
}

function brandOf(records: readonly Touchpoint[], rules: Rules): Brand {
  const ids = [...new Set(records.filter(({ guest }) => !guest).map(({ person }) => person))];
  const payments = distinct(
    records.filter((record) => record.type === 'orderPaid'),
    ({ person, orderId, lineId }) => JSON.stringify([person, orderId, lineId]),
  );
  return {
    persons: ids.map((id): Person => {
      const own = records.filter(({ person }) => person === id);
      const events = distinct(own, ({ eventId }) => eventId);
      const reachWords = distinct(
        own.filter((record) => record.type === 'note'),
        ({ eventId }) => eventId,
      )
        .filter(({ note }) => note === 'REACH')
        .sort((a, b) => a.at - b.at || (a.eventId < b.eventId ? -1 : 1));
      const links = new NaivePerson(own, rules);
      return {
        id,
        links,
        relatedSwitches: events
          .filter(({ type, at }) => type === 'link' && links.isRelated(at))
          .map(({ at }) => at),
        hasDeclined: (channel, t) => {
          const words = reachWords.filter((word) => word.channel === channel && word.at < t);
          return words[words.length - 1]?.on === false;
        },
        presence: events.filter(({ type, staffOrBot }) => type !== 'note' && staffOrBot !== true),
      };
    }),
    // An order counts once, with its first line.
    orders: [...new Set(payments.map(orderKey))].map((key) => firstOf(payments, key)),
    payments,
    refunds: distinct(
      records.filter((record) => record.type === 'orderRefunded'),
      ({ person, orderId, lineId, refundId }) => JSON.stringify([person, orderId, lineId, refundId]),
    ),
  };
}

/** Channels with a link that is live just before `t`. */
function linkedIn({ links }: Person, t: number): readonly { readonly channel: string }[] {
  return links.liveChannels(t - 1).map((channel) => ({ channel }));
}

function orderKey({ person, orderId }: OrderPaid): string {
  return JSON.stringify([person, orderId]);
}

function firstOf(payments: readonly OrderPaid[], key: string): OrderPaid {
  const lines = payments.filter((line) => orderKey(line) === key);
  const [first] = lines.sort(
    (a, b) => a.at - b.at || a.contentHash - b.contentHash || (a.lineId < b.lineId ? -1 : 1),
  );
  if (first === undefined) throw new Error(`no line of ${key}`);
  return first;
}

function sumOf(money: readonly { readonly amountMinor: number }[]): number {
  return money.reduce((sum, { amountMinor }) => sum + amountMinor, 0);
}
