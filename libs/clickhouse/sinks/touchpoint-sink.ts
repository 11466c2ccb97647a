import { type Touchpoint, type TouchpointDetail } from '#domain';
import { type ClickHouse, type CompactValue } from '../clickhouse.js';
import { TableWriter } from './table-writer.js';

export interface TouchpointEntry {
  readonly touchpoint: Touchpoint;
  /** What it said beyond what the fold reads; null if that is not known. */
  readonly detail: TouchpointDetail | null;
  /** Partition and offset of the relationship log. */
  readonly partition: number;
  readonly offset: number;
  /** epoch × 2^48 + offset. */
  readonly version: bigint;
}

/**
 * In this order, so that what most events lack stands at the end: a row stops at its last cell that says
 * something, and a cell that is not sent costs a tenth of one that is.
 */
const COLUMNS = [
  ...['event_id', 'person', 'at', 'arrived_at', 'content_hash', 'version', 'brand', 'channel', 'type'],
  ...['partition', 'origin', 'kind', 'is_on', 'entry_source', 'campaign', 'item_id', 'dwell_ms'],
  ...[
    'actor',
    'public_domain',
    'paid',
    'room_id',
    'share_id',
    'order_id',
    'line_id',
    'amount_minor',
    'quantity',
  ],
  ...['refund_id', 'is_full', 'presale_balance', 'clock_shift_ms', 'guest', 'group_id', 'group_kind'],
  ...['inviter', 'stars', 'positive', 'deleted', 'content', 'sharer', 'mechanism', 'guide', 'content_id'],
  ...['coupon_id', 'review_id', 'parent_share_id', 'content_kind', 'fission_form'],
] as const;
type Column = (typeof COLUMNS)[number];
const INDEX = new Map<Column, number>(COLUMNS.map((column, index) => [column, index]));
const FIRST_OPTIONAL = at('kind');

function at(column: Column): number {
  const index = INDEX.get(column);
  if (index === undefined) throw new RangeError(column);
  return index;
}

type Cells = Partial<Record<Column, CompactValue>>;

/** What each type has beside the head. */
function ownCells(touchpoint: Touchpoint): Cells {
  switch (touchpoint.type) {
    case 'link':
      return {
        kind: touchpoint.link,
        is_on: touchpoint.on,
        group_kind: touchpoint.groupKind,
        inviter: touchpoint.inviter,
      };
    case 'visit':
      return {
        kind: touchpoint.surface,
        public_domain: touchpoint.publicDomain,
        paid: touchpoint.paid,
        dwell_ms: touchpoint.dwellMs,
        item_id: touchpoint.itemId,
        room_id: touchpoint.roomId,
        share_id: touchpoint.shareId,
      };
    case 'engagement':
      return {
        kind: touchpoint.action,
        item_id: touchpoint.itemId,
        room_id: touchpoint.roomId,
        group_id: touchpoint.groupId,
      };
    case 'orderPaid':
      return {
        order_id: touchpoint.orderId,
        line_id: touchpoint.lineId,
        amount_minor: touchpoint.amountMinor,
        presale_balance: touchpoint.presaleBalance,
        item_id: touchpoint.itemId,
        quantity: touchpoint.quantity,
        share_id: touchpoint.shareId,
      };
    case 'orderRefunded':
      return {
        order_id: touchpoint.orderId,
        line_id: touchpoint.lineId,
        refund_id: touchpoint.refundId,
        amount_minor: touchpoint.amountMinor,
        is_full: touchpoint.full,
      };
    case 'presaleDeposit':
      return {
        order_id: touchpoint.orderId,
        line_id: touchpoint.lineId,
        amount_minor: touchpoint.amountMinor,
      };
    case 'review':
      return {
        order_id: touchpoint.orderId,
        item_id: touchpoint.itemId,
        stars: touchpoint.stars,
        positive: touchpoint.positive === null ? null : Number(touchpoint.positive),
        deleted: touchpoint.deleted,
      };
    case 'shared':
      return { share_id: touchpoint.shareId, item_id: touchpoint.itemId, content: touchpoint.content };
    case 'shareClicked':
      return { share_id: touchpoint.shareId, sharer: touchpoint.sharer, item_id: touchpoint.itemId };
  }
}

/** What the touchpoint itself says goes before what its detail repeats. */
function addDetail(cells: Cells, detail: TouchpointDetail): void {
  if (detail.actor !== 'CUSTOMER') cells.actor = detail.actor;
  cells.public_domain ??= detail.publicDomain;
  cells.paid ??= detail.paid;
  cells.share_id ??= detail.shareId;
  cells.item_id ??= detail.itemId;
  cells.room_id ??= detail.roomId;
  cells.group_id ??= detail.groupId;
  cells.quantity ??= detail.quantity;
  cells.mechanism = detail.mechanism;
  cells.guide = detail.guide;
  cells.content_id = detail.contentId;
  cells.coupon_id = detail.couponId;
  cells.review_id = detail.reviewId;
  cells.parent_share_id = detail.parentShareId;
  cells.content_kind = detail.contentKind;
  cells.fission_form = detail.fissionForm;
}

/** 0 is not among them: in a nullable column it says something (so a nullable Bool is sent as 0 or 1). */
function saysNothing(value: CompactValue | undefined): boolean {
  return value === undefined || value === null || value === '' || value === false;
}

function rowOf({ touchpoint: event, detail, partition, version }: TouchpointEntry): readonly CompactValue[] {
  const row: CompactValue[] = [
    event.eventId,
    event.person,
    event.at,
    event.arrivedAt,
    event.contentHash,
    version.toString(),
    event.brand,
    event.channel,
    event.type,
    partition,
    event.origin,
  ];
  const cells = ownCells(event);
  if (detail !== null) addDetail(cells, detail);
  if (event.staffOrBot === true) cells.actor ??= 'STAFF';
  cells.entry_source = event.entrySource;
  cells.campaign = event.campaign;
  if (event.clockShiftMs !== 0) cells.clock_shift_ms = event.clockShiftMs;
  if (event.guest) cells.guest = true;
  let length = FIRST_OPTIONAL;
  for (let i = FIRST_OPTIONAL; i < COLUMNS.length; i++) {
    const column = COLUMNS[i];
    const value = column === undefined ? null : cells[column];
    if (saysNothing(value)) row.push(null);
    else {
      row.push(value ?? null);
      length = i + 1;
    }
  }
  row.length = length;
  return row;
}

/** Stores raw facts, absent text as ''. Writing an entry again changes nothing. */
export class TouchpointSink {
  readonly #writer: TableWriter<TouchpointEntry>;

  constructor(clickhouse: ClickHouse) {
    this.#writer = new TableWriter(clickhouse, 'gravity.touchpoints', COLUMNS, rowOf);
  }

  /** Resolves when all are stored: only then may their offsets be committed. */
  write(entries: readonly TouchpointEntry[]): Promise<void> {
    return this.#writer.write(entries);
  }
}
