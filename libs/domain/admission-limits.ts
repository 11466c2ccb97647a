/** What intake accepts: bounds on every field, as settings. */
export interface AdmissionLimits {
  /** Earliest event time, ms. */
  readonly earliestAt: number;
  /** How far ahead of its arrival an event may be, ms. */
  readonly aheadMaxMs: number;
  /** A producer's clock is corrected where it is further off than this, ms. */
  readonly skewToleranceMs: number;
  /** Longest event, order, line, refund, share, item, room, group, … id, in UTF-16 units. */
  readonly idLengthMax: number;
  readonly brandLengthMax: number;
  readonly personLengthMax: number;
  readonly channelLengthMax: number;
  /** Campaign, entry source, mechanism. */
  readonly tagLengthMax: number;
  readonly amountMinorMax: number;
  /** Currency of a brand that is not named in `currencies`. */
  readonly currency: string;
  readonly currencies: ReadonlyMap<string, string>;
}

export const DEFAULT_ADMISSION_LIMITS: AdmissionLimits = {
  earliestAt: Date.UTC(1990, 0, 1),
  aheadMaxMs: 5 * 60_000,
  skewToleranceMs: 2 * 60_000,
  idLengthMax: 200,
  brandLengthMax: 64,
  personLengthMax: 200,
  channelLengthMax: 64,
  tagLengthMax: 200,
  amountMinorMax: 1_000_000_000_000,
  currency: 'CNY',
  currencies: new Map(),
};
