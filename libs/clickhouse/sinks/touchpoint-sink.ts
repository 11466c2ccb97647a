import type { ContentShared, Noted, Reviewed, ShareClicked, Touchpoint, TouchpointDetail } from '#domain';
import type { ClickHouse, CompactValue } from '../clickhouse.js';
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
  ...['coupon_id', 'review_id', 'parent_share_id', 'content_kind', 'fission_form', 'role', 'assignee'],
] as const;

/** Where a column's cell stands in a row. A row is filled by place: looking cells up by name takes twice as long. */
const PLACE = placesOf(COLUMNS);

function placesOf<const T extends string>(columns: readonly T[]): Readonly<Record<T, number>> {
  return Object.fromEntries(columns.map((column, place) => [column, place])) as Record<T, number>;
}

type Cells = CompactValue[];
const NO_CELLS: Cells = COLUMNS.map(() => null);

/** What each type has beside the head. */
function addOwn(cells: Cells, event: Touchpoint): void {
  switch (event.type) {
    case 'link':
      cells[PLACE.kind] = event.link;
      cells[PLACE.is_on] = event.on;
      cells[PLACE.group_kind] = event.groupKind;
      cells[PLACE.inviter] = event.inviter;
      return;
    case 'visit':
      cells[PLACE.kind] = event.surface;
      cells[PLACE.public_domain] = event.publicDomain;
      cells[PLACE.paid] = event.paid;
      cells[PLACE.dwell_ms] = event.dwellMs;
      cells[PLACE.item_id] = event.itemId;
      cells[PLACE.room_id] = event.roomId;
      cells[PLACE.share_id] = event.shareId;
      return;
    case 'engagement':
      cells[PLACE.kind] = event.action;
      cells[PLACE.item_id] = event.itemId;
      cells[PLACE.room_id] = event.roomId;
      cells[PLACE.group_id] = event.groupId;
      return;
    case 'orderPaid':
      cells[PLACE.order_id] = event.orderId;
      cells[PLACE.line_id] = event.lineId;
      cells[PLACE.amount_minor] = event.amountMinor;
      cells[PLACE.presale_balance] = event.presaleBalance;
      cells[PLACE.item_id] = event.itemId;
      cells[PLACE.quantity] = event.quantity;
      cells[PLACE.share_id] = event.shareId;
      return;
    case 'orderRefunded':
      cells[PLACE.order_id] = event.orderId;
      cells[PLACE.line_id] = event.lineId;
      cells[PLACE.refund_id] = event.refundId;
      cells[PLACE.amount_minor] = event.amountMinor;
      cells[PLACE.is_full] = event.full;
      return;
    case 'presaleDeposit':
      cells[PLACE.order_id] = event.orderId;
      cells[PLACE.line_id] = event.lineId;
      cells[PLACE.amount_minor] = event.amountMinor;
      return;
    case 'note':
      addNote(cells, event);
      return;
    case 'review':
    case 'shared':
    case 'shareClicked':
      addWord(cells, event);
  }
}

function addNote(cells: Cells, event: Noted): void {
  cells[PLACE.kind] = event.note;
  cells[PLACE.is_on] = event.on;
  cells[PLACE.role] = event.role;
  cells[PLACE.assignee] = event.assignee;
  cells[PLACE.inviter] = event.inviter;
}

function addWord(cells: Cells, event: Reviewed | ContentShared | ShareClicked): void {
  cells[PLACE.item_id] = event.itemId;
  if (event.type === 'review') {
    cells[PLACE.order_id] = event.orderId;
    cells[PLACE.stars] = event.stars;
    // As a number, since false would be left out and be null then.
    cells[PLACE.positive] = event.positive === null ? null : Number(event.positive);
    cells[PLACE.deleted] = event.deleted;
    return;
  }
  cells[PLACE.share_id] = event.shareId;
  if (event.type === 'shared') cells[PLACE.content] = event.content;
  else cells[PLACE.sharer] = event.sharer;
}

/** What the touchpoint itself says goes before what its detail repeats. */
function addDetail(cells: Cells, detail: TouchpointDetail): void {
  if (detail.actor !== 'CUSTOMER') cells[PLACE.actor] = detail.actor;
  cells[PLACE.public_domain] ??= detail.publicDomain;
  cells[PLACE.paid] ??= detail.paid;
  cells[PLACE.share_id] ??= detail.shareId;
  cells[PLACE.item_id] ??= detail.itemId;
  cells[PLACE.room_id] ??= detail.roomId;
  cells[PLACE.group_id] ??= detail.groupId;
  cells[PLACE.quantity] ??= detail.quantity;
  cells[PLACE.mechanism] = detail.mechanism;
  cells[PLACE.guide] = detail.guide;
  cells[PLACE.content_id] = detail.contentId;
  cells[PLACE.coupon_id] = detail.couponId;
  cells[PLACE.review_id] = detail.reviewId;
  cells[PLACE.parent_share_id] = detail.parentShareId;
  cells[PLACE.content_kind] = detail.contentKind;
  cells[PLACE.fission_form] = detail.fissionForm;
}

function rowOf({ touchpoint: event, detail, partition, version }: TouchpointEntry): Cells {
  const cells = NO_CELLS.slice();
  cells[PLACE.event_id] = event.eventId;
  cells[PLACE.person] = event.person;
  cells[PLACE.at] = event.at;
  cells[PLACE.arrived_at] = event.arrivedAt;
  cells[PLACE.content_hash] = event.contentHash;
  cells[PLACE.version] = version;
  cells[PLACE.brand] = event.brand;
  cells[PLACE.channel] = event.channel;
  cells[PLACE.type] = event.type;
  cells[PLACE.partition] = partition;
  cells[PLACE.origin] = event.origin;
  addOwn(cells, event);
  if (detail !== null) addDetail(cells, detail);
  if (event.staffOrBot === true) cells[PLACE.actor] ??= 'STAFF';
  cells[PLACE.entry_source] = event.entrySource;
  cells[PLACE.campaign] = event.campaign;
  if (event.clockShiftMs !== 0) cells[PLACE.clock_shift_ms] = event.clockShiftMs;
  if (event.guest) cells[PLACE.guest] = true;
  // 0 is never left out: in a nullable column it says something.
  let length = cells.length;
  for (let last = cells[length - 1]; last === null || last === '' || last === false; last = cells[length - 1])
    length--;
  cells.length = length;
  return cells;
}

/** Stores raw facts, absent text as ''. Writing an entry again changes nothing. */
export class TouchpointSink {
  readonly #writer: TableWriter<TouchpointEntry>;

  constructor(clickhouse: ClickHouse, insertRowsMax?: number) {
    this.#writer = new TableWriter(clickhouse, 'gravity.touchpoints', COLUMNS, rowOf, insertRowsMax);
  }

  /** Resolves when all are stored: only then may their offsets be committed. */
  write(entries: Iterable<TouchpointEntry>): Promise<void> {
    return this.#writer.write(entries);
  }
}
