/** What became of a row before intake saw it. */
import type { CsvFault } from './csv-reader.js';
import type { RecordedRow } from './recorded-row.js';

/** Why a row is no touchpoint. Counted with its row number; never fatal. */
export type RowRejectReason =
  | CsvFault
  | 'MISSING_TIME'
  | 'BAD_TIME'
  | 'MISSING_AMOUNT'
  /** No number, or one beyond 2^53 minor units. */
  | 'BAD_AMOUNT'
  | 'MISSING_KIND'
  /** Neither a purchase kind nor a refund kind. */
  | 'UNKNOWN_KIND'
  /** Said to be a purchase, with an amount below 0. */
  | 'NEGATIVE_PAYMENT'
  /** A person or an order with U+FFFD: bytes that were no UTF-8. */
  | 'INVALID_UTF8'
  /** A line that is no JSON object. */
  | 'BAD_JSON'
  /** A JSON object that is no touchpoint. */
  | 'BAD_TOUCHPOINT';

/** Left out because an option says so: not an error. */
export type RowIgnoreReason = 'ZERO_ORDER_IGNORED';

export type RowOutcome =
  | { readonly type: 'row'; readonly row: RecordedRow }
  | {
      readonly type: 'rejected';
      readonly row: number;
      readonly reason: RowRejectReason;
      readonly detail: string;
    }
  | { readonly type: 'ignored'; readonly row: number; readonly reason: RowIgnoreReason };
