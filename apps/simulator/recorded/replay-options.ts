/** How recorded files are read, as settled by the command line. */

/** A column by its name in the header, or by its number from 1. */
export type ColumnRef = string | number;

export interface ColumnRefs {
  readonly person: ColumnRef;
  readonly time: ColumnRef;
  /** Either an amount, or a quantity and a price. */
  readonly amount: ColumnRef | null;
  readonly quantity: ColumnRef | null;
  readonly price: ColumnRef | null;
  readonly order: ColumnRef | null;
  readonly kind: ColumnRef | null;
}

export type MembersRule = 'buyers' | 'none';
export type ZeroOrdersRule = 'count' | 'ignore';

/** Everything that decides what a file means. Part of the identity of a replay. */
export interface ReadingOptions {
  readonly columns: ColumnRefs;
  readonly header: boolean;
  readonly delimiter: string;
  readonly timeFormat: string;
  /** Zone of stamps without one. */
  readonly timeZone: string;
  readonly purchaseKinds: readonly string[];
  readonly refundKinds: readonly string[];
  readonly zeroOrders: ZeroOrdersRule;
  readonly currency: string;
}

/** What the rows become. Part of the identity of a replay too. */
export interface SequencingOptions {
  readonly brand: string;
  readonly members: MembersRule;
  readonly currency: string;
}

/** One recorded file. `name` is part of every row's id. */
export interface SourceFile {
  readonly path: string;
  readonly name: string;
}
