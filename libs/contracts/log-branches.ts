import type { Origin } from '#domain';

/** In the order of `schemas/relationship-log`. */
export const ORIGINS: readonly Origin[] = ['LIVE', 'REPLAY', 'BACKFILL'];

/** The branches of the body of `schemas/relationship-log`, by their place in the union. */
export const BRANCH = {
  link: 0,
  visit: 1,
  engagement: 2,
  orderPaid: 3,
  orderRefunded: 4,
  presaleDeposit: 5,
  review: 6,
  shared: 7,
  shareClicked: 8,
  tick: 9,
  rulesSet: 10,
  epochRaised: 11,
  credit: 12,
  note: 13,
} as const;
