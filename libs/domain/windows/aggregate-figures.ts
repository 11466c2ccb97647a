import { bucketOf, insertedFrom, insertedTo } from './presence-insertion.js';
import type { Aggregate } from './window-changes.js';
import type { WindowFigure } from './window-figure.js';
import type { GridWindow } from './window-grid.js';

/** The figures of one (brand, channel) in all windows. */
export class AggregateFigures implements Aggregate {
  /** @param figures   by window number */
  constructor(
    readonly brand: string,
    readonly channel: string,
    readonly figures: readonly WindowFigure[],
  ) {}

  /** One person more, as `ChangeReader.insertion` says. */
  insert(windows: readonly GridWindow[], among: number, grain: number, before: number, after: number): void {
    for (const window of windows) {
      const bucket = bucketOf(window, grain);
      const bucketBefore = bucketOf(window, before);
      const bucketAfter = bucketOf(window, after);
      // Covered, and in all coarser windows too: slides nest.
      if (bucketBefore === bucket || bucketAfter === bucket) return;
      const from = insertedFrom(window, bucket, bucketBefore);
      const to = insertedTo(window, bucket, bucketAfter);
      if (from < to) this.figures[window.index]?.addPerson(among, from, to);
    }
  }
}
