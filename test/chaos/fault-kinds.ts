export const FAULT_KINDS = [
  'kill intake',
  'kill relationship',
  'kill archive',
  'kill intake inside a transaction',
  'intake sleeps inside a transaction',
  'relationship sleeps',
  'archive sleeps',
  'torn write at the end of the store',
  'disk of relationship lost',
  'broker killed',
  /** Where there are several brokers. */
  'leader of the log killed',
  'ClickHouse killed',
  'registry stopped, intake killed',
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];
