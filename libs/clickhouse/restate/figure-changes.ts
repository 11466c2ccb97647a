/** By how much a restatement changes each figure. */

/** The counts of one end of a channel, or of one day, over all partitions. */
export interface FigureCounts<Figure extends string> {
  /** `all` for all. */
  readonly channel: string;
  /** ms; of a day its close. */
  readonly end: number;
  readonly before: Readonly<Record<Figure, number>>;
  readonly after: Readonly<Record<Figure, number>>;
}

export interface FigureChange {
  /** `all` for all. */
  readonly channel: string;
  /** As rows name it; a tier's stock is `tier_0` to `tier_5`. */
  readonly figure: string;
  /** Ends (or days) at which the figure changes. */
  readonly ends: number;
  /** Sums over these ends, which say more together than each: one person more at 30 ends is 30 more. */
  readonly before: number;
  readonly after: number;
  /** The difference that is largest, after − before, and the first end that has it, ms. */
  readonly largest: number;
  readonly largestAt: number;
}

/** By channel in the order of `changes`, figures as rows have them; figures that stay are left out. */
export function figureChanges<Figure extends string>(
  changes: readonly FigureCounts<Figure>[],
  figures: readonly Figure[],
): readonly FigureChange[] {
  const channels = [...new Set(changes.map(({ channel }) => channel))].sort();
  return channels.flatMap((channel) => {
    const own = changes.filter((change) => change.channel === channel).sort((a, b) => a.end - b.end);
    return figures.flatMap((figure) => changeOf(channel, figure, own));
  });
}

function changeOf<Figure extends string>(
  channel: string,
  figure: Figure,
  changes: readonly FigureCounts<Figure>[],
): readonly FigureChange[] {
  const own = changes.filter(({ before, after }) => before[figure] !== after[figure]);
  const [first] = own;
  if (first === undefined) return [];
  const differenceAt = ({ before, after }: FigureCounts<Figure>): number => after[figure] - before[figure];
  const most = own.reduce((left, right) =>
    Math.abs(differenceAt(right)) > Math.abs(differenceAt(left)) ? right : left,
  );
  const sumOf = (of: 'before' | 'after'): number => own.reduce((sum, one) => sum + one[of][figure], 0);
  return [
    {
      ...{ channel, figure, ends: own.length, before: sumOf('before'), after: sumOf('after') },
      ...{ largest: differenceAt(most), largestAt: most.end },
    },
  ];
}
