import { type RowStatus } from '#pipeline';

/** From the least to the most trustworthy: what is made of several rows is no better than the worst of them. */
export const ROW_STATUSES: readonly RowStatus[] = ['incomplete', 'provisional', 'restated', 'closed'];

export function worstStatus(statuses: readonly RowStatus[]): RowStatus {
  return ROW_STATUSES.find((status) => statuses.includes(status)) ?? 'closed';
}
