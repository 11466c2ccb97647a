import type { RowStatus } from '#pipeline';

/** From the least to the most trustworthy. */
export const ROW_STATUSES = [
  'incomplete',
  'provisional',
  'restated',
  'closed',
] as const satisfies readonly RowStatus[];

/** What is made of several rows is no better than the worst of them; of no rows: closed zeros. */
export function worstStatus(statuses: readonly RowStatus[]): RowStatus {
  return ROW_STATUSES.find((status) => statuses.includes(status)) ?? 'closed';
}
