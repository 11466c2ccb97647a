/** Why a record that arrived is not an event. A reject is a value; it becomes a dead letter. */

/** The bytes could not be read as a source event. */
export const DECODE_REASONS = [
  /** No value at all (a tombstone, or no bytes). */
  'EMPTY',
  /** Longer than a source record may be. */
  'TOO_LARGE',
  /** The first byte is not the framing's 0. */
  'UNFRAMED',
  /** Ends before the framing or the record does. */
  'TRUNCATED',
  /** The registry knows no schema of this id. */
  'UNKNOWN_SCHEMA_ID',
  /** A schema of another topic, or one that our reader cannot resolve. */
  'WRONG_SCHEMA',
  /** Framed with a fitting schema, but the bytes are not a record of it. */
  'UNDECODABLE',
  /** A whole record, then more bytes. */
  'TRAILING_BYTES',
] as const;
export type DecodeReason = (typeof DECODE_REASONS)[number];

/** The source event was read, but says something that cannot be, or cannot be accepted. */
export const ADMISSION_REASONS = [
  /** An id that must be there is missing, empty or blank. */
  'EMPTY_ID',
  /** Only an order may come without a person. */
  'MISSING_PERSON',
  /** Control characters or broken Unicode in an id, or `|` in a brand. */
  'BAD_CHARACTER',
  'TOO_LONG',
  /** A channel called `all`, or a person called like a guest (`order:…`). */
  'RESERVED_NAME',
  /** A kind of event, link or action that this version does not know. */
  'UNKNOWN_KIND',
  'TIME_TOO_EARLY',
  'TIME_AHEAD',
  'NEGATIVE_AMOUNT',
  'AMOUNT_TOO_LARGE',
  'WRONG_CURRENCY',
  /** Not an integer, or beyond 2^53. */
  'UNSAFE_INTEGER',
  /** A value outside what it can be (a negative dwell, six stars of five). */
  'IMPOSSIBLE_VALUE',
  /** Fields that contradict each other (a refund without a refund id). */
  'CONTRADICTORY',
  /** Well formed, but nothing acts upon it yet. Its dead letter can be sent again to a version that does. */
  'NOT_SUPPORTED_YET',
] as const;
export type AdmissionReason = (typeof ADMISSION_REASONS)[number];

export const REJECT_REASONS = [...DECODE_REASONS, ...ADMISSION_REASONS] as const;
export type RejectReason = (typeof REJECT_REASONS)[number];

export interface Reject {
  readonly reason: RejectReason;
  /** For a person to read: the field and what was wrong with it. Never a personal value. */
  readonly detail: string;
}
