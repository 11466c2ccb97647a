/** By how much a restatement changes each figure. */
import { WINDOW_COUNTS, type WindowCount, type WindowCounts } from '../queries/window-counts.js';

export interface FigureChange {
  /** `all` for all. */
  readonly channel: string;
  readonly figure: WindowCount;
  /** Ends at which the figure changes. */
  readonly ends: number;
  /** Sums over these ends, which say more together than each: one person more at 30 ends is 30 more. */
  readonly before: number;
  readonly after: number;
  /** The difference that is largest, after − before, and the first end that has it, ms. */
  readonly largest: number;
  readonly largestAt: number;
}

/** The counts of one end of a channel, over all partitions. */
export interface EndChange {
  readonly channel: string;
  readonly end: number;
  readonly before: WindowCounts;
  readonly after: WindowCounts;
}

/** By channel in the order of `changes`, figures as rows have them; figures that stay are left out. */
export function figureChanges(changes: readonly EndChange[]): readonly FigureChange[] {
  const channels = [...new Set(changes.map(({ channel }) => channel))].sort();
  return channels.flatMap((channel) => {
    const own = changes.filter((change) => change.channel === channel).sort((a, b) => a.end - b.end);
    return WINDOW_COUNTS.flatMap((figure) => changeOf(channel, figure, own));
  });
}

function changeOf(
  channel: string,
  figure: WindowCount,
  changes: readonly EndChange[],
): readonly FigureChange[] {
  const own = changes.filter(({ before, after }) => before[figure] !== after[figure]);
  const [first] = own;
  if (first === undefined) return [];
  const differenceAt = ({ before, after }: EndChange): number => after[figure] - before[figure];
  const most = own.reduce((left, right) =>
    Math.abs(differenceAt(right)) > Math.abs(differenceAt(left)) ? right : left,
  );
  const sumOf = (counts: readonly WindowCounts[]): number => counts.reduce((sum, of) => sum + of[figure], 0);
  return [
    {
      ...{ channel, figure, ends: own.length },
      before: sumOf(own.map(({ before }) => before)),
      after: sumOf(own.map(({ after }) => after)),
      ...{ largest: differenceAt(most), largestAt: most.end },
    },
  ];
}
