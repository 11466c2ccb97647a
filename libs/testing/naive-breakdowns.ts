/** What is finer than brand and channel, from touchpoints one by one: the second opinion on the SQL. */
import { ALL_CHANNELS, type LinkChanged, type OrderPaid, type Rules, type Touchpoint } from '#domain';
import { distinct, NaivePerson } from './naive-person.js';

interface Counts {
  readonly first: number;
  readonly second: number;
}

/** By `dimension key`: links begun and ended, or orders and money. Sorted, without those of zeros. */
export type NaiveParts = readonly (readonly [string, number, number])[];

interface Span {
  readonly channel: string;
  readonly from: number;
  /** Exclusive; facts of this instant or later are not known. */
  readonly until: number;
}

interface Life {
  readonly kind: string;
  readonly channel: string;
  readonly source: string;
  readonly from: number;
  readonly to: number;
}

export function naiveLinkFlows(records: readonly Touchpoint[], { channel, from, until }: Span): NaiveParts {
  const parts = new Map<string, Counts>();
  const within = (at: number) => (at >= from && at < until ? 1 : 0);
  for (const life of livesOf(records.filter(({ at }) => at < until))) {
    if (channel !== ALL_CHANNELS && life.channel !== channel) continue;
    for (const key of [`kind ${life.kind}`, `source ${life.source}`])
      add(parts, key, within(life.from), within(life.to));
  }
  return listOf(parts);
}

export function naiveGmvParts(
  records: readonly Touchpoint[],
  { channel, from, until }: Span,
  rules: Rules,
  schemeId: string,
  isPublic: (event: Touchpoint) => boolean,
): NaiveParts {
  const scheme = rules.schemes.find(({ id }) => id === schemeId);
  if (scheme === undefined) throw new Error(schemeId);
  const known = records.filter(({ at }) => at < until);
  const payments = distinct(
    known.filter((record) => record.type === 'orderPaid'),
    ({ person, orderId, lineId }) => JSON.stringify([person, orderId, lineId]),
  );
  const parts = new Map<string, Counts>();
  for (const line of payments) {
    if (line.at < from || (channel !== ALL_CHANNELS && line.channel !== channel)) continue;
    const first = firstLine(payments, line);
    const own = known.filter(({ person, guest }) => person === line.person && !guest);
    const tier = new NaivePerson(own, rules).tierAt(scheme, first.at - 1);
    const relation = union(livesOf(own)).find((life) => life.from <= first.at && first.at < life.to);
    const age = relation === undefined ? 'none' : relation.from >= from ? 'new' : 'older';
    const domain = isPublic(line) ? 'public' : 'private';
    for (const key of [
      `tier ${tier}`,
      `relation ${age}`,
      `source ${line.entrySource ?? ''}`,
      `domain ${domain}`,
    ])
      add(parts, key, line === first ? 1 : 0, line.amountMinor);
  }
  return listOf(parts);
}

function firstLine(payments: readonly OrderPaid[], { person, orderId }: OrderPaid): OrderPaid {
  const [first] = payments
    .filter((line) => line.person === person && line.orderId === orderId)
    .sort((a, b) => a.at - b.at || a.contentHash - b.contentHash || (a.lineId < b.lineId ? -1 : 1));
  if (first === undefined) throw new Error('an order without a line');
  return first;
}

/** The live times of every link; switched off and on at one instant it goes on. */
function livesOf(records: readonly Touchpoint[]): readonly Life[] {
  const switches = distinct(
    records.filter((record) => record.type === 'link'),
    ({ person, eventId }) => JSON.stringify([person, eventId]),
  ).toSorted((a, b) => a.at - b.at || (a.eventId < b.eventId ? -1 : 1));
  const lines = groups(switches);
  return [...lines.values()].flatMap((line) => {
    const lives: Life[] = [];
    let open: LinkChanged | null = null;
    const close = (to: number): void => {
      if (open === null || open.at === to) return;
      const last = lives[lives.length - 1];
      if (last?.to === open.at) lives[lives.length - 1] = { ...last, to };
      else
        lives.push({
          ...{ kind: open.link, channel: open.channel, source: open.entrySource ?? '' },
          ...{ from: open.at, to },
        });
    };
    for (const toggle of line) {
      if (toggle.on) open ??= toggle;
      else {
        close(toggle.at);
        open = null;
      }
    }
    close(Infinity);
    return lives;
  });
}

function groups(switches: readonly LinkChanged[]): ReadonlyMap<string, readonly LinkChanged[]> {
  const lines = new Map<string, LinkChanged[]>();
  for (const toggle of switches) {
    const key = JSON.stringify([toggle.person, toggle.link, toggle.link === 'MEMBER' ? '' : toggle.channel]);
    lines.set(key, [...(lines.get(key) ?? []), toggle]);
  }
  return lines;
}

function union(lives: readonly Life[]): readonly Life[] {
  const joined: Life[] = [];
  for (const life of lives.toSorted((a, b) => a.from - b.from)) {
    const last = joined[joined.length - 1];
    if (last === undefined || life.from > last.to) joined.push(life);
    else if (life.to > last.to) joined[joined.length - 1] = { ...last, to: life.to };
  }
  return joined;
}

function add(parts: Map<string, Counts>, key: string, first: number, second: number): void {
  const before = parts.get(key) ?? { first: 0, second: 0 };
  parts.set(key, { first: before.first + first, second: before.second + second });
}

function listOf(parts: ReadonlyMap<string, Counts>): NaiveParts {
  return [...parts]
    .filter(([, { first, second }]) => first !== 0 || second !== 0)
    .map(([key, { first, second }]): [string, number, number] => [key, first, second])
    .sort(([a], [b]) => (a < b ? -1 : 1));
}
