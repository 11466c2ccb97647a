import type { Channel, LinkKind } from './events.js';
import { reachableOf } from './reach.js';
import type { LinkLine, Links, ReachLine, Toggle } from './relationship.js';
import { NO_SPANS, union } from './spans.js';
import { NO_LINKS, type ChannelLinks, type LinkView, type Span } from './window-port.js';

export const NO_RELATION: Links = { lines: [], reach: [], view: NO_LINKS, member: NO_SPANS };

/** The links of these lines, with what follows from them. */
export function linksOf(lines: readonly LinkLine[], reach: readonly ReachLine[]): Links {
  if (lines.length === 0) return reach.length === 0 ? NO_RELATION : { ...NO_RELATION, reach };
  const byChannel = new Map<Channel, Span[]>();
  const everywhere: Span[] = [];
  const member: Span[] = [];
  for (const line of lines) {
    for (const { channel, span } of liveSpans(line)) {
      everywhere.push(span);
      if (line.kind === 'MEMBER') member.push(span);
      const known = byChannel.get(channel);
      if (known === undefined) byChannel.set(channel, [span]);
      else known.push(span);
    }
  }
  const channels: ChannelLinks[] = [];
  for (const [channel, spans] of byChannel) channels.push({ channel, spans: sized(union(spans)) });
  if (channels.length > 1) channels.sort((a, b) => (a.channel < b.channel ? -1 : 1));
  const view: LinkView = {
    any: sized(union(everywhere)),
    byChannel: sized(channels),
    reachable: reachableOf(channels, reach),
  };
  return { lines, reach, view, member: sized(union(member)) };
}

/** In no more memory than it needs: what was pushed to has room for 16 items more, and every state has such lists. */
function sized<T>(list: readonly T[]): readonly T[] {
  return list.length === 0 ? EMPTY : list.slice();
}

const EMPTY: readonly never[] = [];

interface ChannelSpan {
  readonly channel: Channel;
  readonly span: Span;
}

/** When the link was live, by the channel that it was made in. A link of no length was never live. */
function liveSpans(line: LinkLine): readonly ChannelSpan[] {
  const spans: ChannelSpan[] = [];
  const open: { readonly channel: Channel; readonly from: number }[] = [];
  for (const { at, on, channel } of line.toggles) {
    if (on) {
      if (!open.some((link) => link.channel === channel)) open.push({ channel, from: at });
      continue;
    }
    for (const link of open) {
      if (link.from < at) spans.push({ channel: link.channel, span: { from: link.from, to: at } });
    }
    open.length = 0;
  }
  for (const link of open) spans.push({ channel: link.channel, span: { from: link.from, to: Infinity } });
  return spans;
}

/** The switch of that event, wherever it stands. */
export function findToggle(links: Links, eventId: string): Toggle | undefined {
  for (const { toggles } of links.lines) {
    for (const toggle of toggles) if (toggle.eventId === eventId) return toggle;
  }
  return undefined;
}

/** @returns `links` itself when the line has forgotten its switches of that time */
export function withToggle(links: Links, kind: LinkKind, toggle: Toggle): Links {
  const channel = kind === 'MEMBER' ? null : toggle.channel;
  const index = links.lines.findIndex((line) => line.kind === kind && line.channel === channel);
  const line = links.lines[index];
  if (line === undefined) {
    const added: LinkLine = { kind, channel, toggles: [toggle], settled: false };
    return linksOf(links.lines.concat(added).sort(byKindAndChannel), links.reach);
  }
  const oldest = line.toggles[0];
  if (line.settled && oldest !== undefined && precedes(toggle, oldest)) return links;
  return linksOf(links.lines.with(index, { ...line, toggles: inserted(line.toggles, toggle) }), links.reach);
}

export function withoutToggle(links: Links, eventId: string): Links {
  const lines: LinkLine[] = [];
  for (const line of links.lines) {
    const toggles = line.toggles.filter((toggle) => toggle.eventId !== eventId);
    if (toggles.length > 0) lines.push({ ...line, toggles });
  }
  return linksOf(lines, links.reach);
}

/** The switch of messages by that event. */
export function findReach(links: Links, eventId: string): Toggle | undefined {
  for (const { toggles } of links.reach) {
    for (const toggle of toggles) if (toggle.eventId === eventId) return toggle;
  }
  return undefined;
}

/** @returns `links` itself when the line has forgotten its switches of that time */
export function withReach(links: Links, toggle: Toggle): Links {
  const { channel } = toggle;
  const line = links.reach.find((one) => one.channel === channel);
  const oldest = line?.toggles[0];
  if (line?.settled === true && oldest !== undefined && precedes(toggle, oldest)) return links;
  const switched: ReachLine = {
    channel,
    toggles: inserted(line?.toggles ?? [], toggle),
    settled: line?.settled ?? false,
  };
  const others = links.reach.filter((one) => one !== line);
  return linksOf(
    links.lines,
    [...others, switched].sort((a, b) => (a.channel < b.channel ? -1 : 1)),
  );
}

export function withoutReach(links: Links, eventId: string): Links {
  const reach: ReachLine[] = [];
  for (const line of links.reach) {
    const toggles = line.toggles.filter((toggle) => toggle.eventId !== eventId);
    if (toggles.length > 0) reach.push({ ...line, toggles });
  }
  return linksOf(links.lines, reach);
}

function inserted(toggles: readonly Toggle[], toggle: Toggle): readonly Toggle[] {
  let index = toggles.length;
  while (index > 0 && precedes(toggle, toggles[index - 1] ?? toggle)) index--;
  return toggles.toSpliced(index, 0, toggle);
}

// Switches of one instant need an order that does not come from their arrival.
function precedes(a: Toggle, b: Toggle): boolean {
  return a.at < b.at || (a.at === b.at && a.eventId < b.eventId);
}

function byKindAndChannel(a: LinkLine, b: LinkLine): number {
  if (a.kind !== b.kind) return a.kind < b.kind ? -1 : 1;
  return (a.channel ?? '') < (b.channel ?? '') ? -1 : 1;
}

/**
 * Forgets the switches before `keepFrom` that nothing can ask for any more. The last ones before it stay,
 * on or off: without an old OFF a stray late ON would live for ever.
 */
export function pruneLinks(links: Links, keepFrom: number): Links {
  const hasOld = ({ toggles }: ReachLine | LinkLine): boolean => (toggles[1]?.at ?? Infinity) < keepFrom;
  if (!links.lines.some(hasOld) && !links.reach.some(hasOld)) return links;
  const prune = <Line extends ReachLine | LinkLine>(line: Line): Line => {
    const toggles = remaining(line.toggles, keepFrom);
    return toggles.length === line.toggles.length ? line : { ...line, toggles, settled: true };
  };
  return linksOf(links.lines.map(prune), links.reach.map(prune));
}

function remaining(toggles: readonly Toggle[], keepFrom: number): readonly Toggle[] {
  const recent = toggles.findIndex(({ at }) => at >= keepFrom);
  const end = recent < 0 ? toggles.length : recent;
  const last: Toggle[] = [];
  // Backwards to the last OFF: of each channel the last ON after it, or that OFF itself if there is none.
  for (let i = end - 1; i >= 0; i--) {
    const toggle = toggles[i];
    if (toggle === undefined) continue;
    if (!toggle.on) {
      if (last.length === 0) last.push(toggle);
      break;
    }
    if (!last.some(({ channel }) => channel === toggle.channel)) last.push(toggle);
  }
  return [...last.reverse(), ...toggles.slice(end)];
}
