/**
 * FAST+ section 8 row 22: a link makes a person reachable, unless messages in its channel were declined. Consent is
 * by channel; who never said anything may be written to.
 */
import type { ReachLine } from './relationship.js';
import { NO_SPANS, union, without } from './spans.js';
import type { ChannelLinks, ReachableLinks, Span } from './window-port.js';

/** When messages in the line's channel were declined: from each off to the next on. */
function declinedSpans({ toggles }: ReachLine): readonly Span[] {
  const spans: Span[] = [];
  let since: number | null = null;
  for (const { at, on } of toggles) {
    if (!on) since ??= at;
    else if (since !== null) {
      if (since < at) spans.push({ from: since, to: at });
      since = null;
    }
  }
  return since === null ? spans : [...spans, { from: since, to: Infinity }];
}

/** The links of each channel without the times at which its messages were declined; null where that takes nothing. */
export function reachableOf(
  byChannel: readonly ChannelLinks[],
  reach: readonly ReachLine[],
): ReachableLinks | null {
  if (reach.length === 0) return null;
  let isSame = true;
  const reachable = byChannel.map((links): ChannelLinks => {
    const line = reach.find(({ channel }) => channel === links.channel);
    const declined = line === undefined ? NO_SPANS : declinedSpans(line);
    const spans = declined.length === 0 ? links.spans : without(links.spans, declined);
    if (spans !== links.spans) isSame = false;
    return spans === links.spans ? links : { channel: links.channel, spans };
  });
  return isSame ? null : { any: union(reachable.flatMap(({ spans }) => spans)), byChannel: reachable };
}

/** Whether messages in some channel are declined for good: that must not be forgotten. */
export function hasDeclined(reach: readonly ReachLine[]): boolean {
  return reach.some(({ toggles }) => toggles[toggles.length - 1]?.on === false);
}
