import { MOMENT, presenceOf, type PersonPresence } from './presence.js';
import type { GridWindow, WindowGrid } from './window-grid.js';

/**
 * Leaves out what no end from the horizons on can ask for, in each channel, of visits and of active moments:
 * younger than the first horizon all stays; between two horizons the last moment of each coarser slide; older
 * than the last horizon the single last one. "Last", because what is older than a window's horizon matters to it
 * through its maximum only. Thinning at a later watermark gives the same whether or not it was thinned before:
 * it is the canonical form to compare states by.
 */
export function thinnedPresence(presence: PersonPresence, grid: WindowGrid): PersonPresence {
  const { channels, moments, length } = presence;
  const finest = grid.windows[0];
  if (finest === undefined || length === 0 || (moments[0] ?? 0) >= horizonOf(finest)) return presence;
  // By code and kind (2 · code for visits, 2 · code + 1 for active ones): of what zone and slide one is kept.
  const keptZones = new Int32Array(2 * channels.length).fill(NO_ZONE);
  const keptBuckets = new Float64Array(2 * channels.length);
  const kept: number[] = [];
  let zone = -1;
  for (let at = length - MOMENT; at >= 0; at -= MOMENT) {
    const grain = moments[at] ?? 0;
    const mark = moments[at + 1] ?? 0;
    zone = zoneOf(grain, grid, zone);
    const coarser = grid.windows[zone + 1];
    const bucket = coarser === undefined ? 0 : Math.floor(grain / coarser.grains);
    let isNeeded = false;
    // An active moment is one of the visits as well, and stays if either asks for it.
    for (let list = mark & ~1; list <= mark; list++) {
      if (keptZones[list] === zone && keptBuckets[list] === bucket) continue;
      isNeeded = true;
      keptZones[list] = zone;
      keptBuckets[list] = bucket;
    }
    if (isNeeded) kept.push(mark, grain);
  }
  return presenceOf(channels, kept.reverse());
}

/** Nothing was kept yet. */
const NO_ZONE = -2;

/** The coarsest window behind whose horizon `grain` lies, −1 for none; at least `from`. */
function zoneOf(grain: number, grid: WindowGrid, from: number): number {
  let zone = from;
  for (;;) {
    const next = grid.windows[zone + 1];
    if (next === undefined || grain >= horizonOf(next)) return zone;
    zone++;
  }
}

/** First grain that is not behind the horizon. */
function horizonOf({ horizon, grains }: GridWindow): number {
  return horizon * grains;
}
