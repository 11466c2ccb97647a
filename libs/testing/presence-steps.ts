/** A form of presence to compare by. */
import { MOMENT, type Channel, type PersonPresence } from '#domain';

/** Of one channel the first grain and then the steps to the next, of visits and of active moments. */
export interface ChannelSteps {
  readonly channel: Channel;
  readonly visits: readonly number[];
  readonly actives: readonly number[];
}

/** By channel. Equal moments give equal steps, in whatever order they came. */
export function stepsOf({ channels, moments, length }: PersonPresence): readonly ChannelSteps[] {
  // By 2 · code for visits, 2 · code + 1 for active moments.
  const steps = channels.flatMap((): number[][] => [[], []]);
  const last = steps.map(() => 0);
  for (let at = 0; at < length; at += MOMENT) {
    const grain = moments[at] ?? 0;
    const mark = moments[at + 1] ?? 0;
    for (let list = mark & ~1; list <= mark; list++) {
      const own = steps[list];
      // A visit, and an active moment in the same grain: one grain.
      if (own === undefined || (own.length > 0 && last[list] === grain)) continue;
      own.push(grain - (last[list] ?? 0));
      last[list] = grain;
    }
  }
  const all = channels.map((channel, code) => {
    return { channel, visits: steps[2 * code] ?? [], actives: steps[2 * code + 1] ?? [] };
  });
  return all.length < 2 ? all : all.sort((a, b) => (a.channel < b.channel ? -1 : 1));
}
