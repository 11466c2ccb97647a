/**
 * Version 1 of `schemas/relationship-log` read straight into domain objects: the fold's hot path. It skips what
 * the fold does not read. A property test holds it equal to the general way through avsc.
 */
import {
  contentShared,
  engaged,
  ENGAGEMENT_ACTIONS,
  GROUP_KINDS,
  LINK_KINDS,
  linkChanged,
  NOTE_KINDS,
  noted,
  orderPaid,
  orderRefunded,
  presaleDeposited,
  reviewed,
  ROLES,
  shareClicked,
  VISIT_SURFACES,
  visited,
  type LogEntry,
  type Touchpoint,
  type TouchpointHead,
} from '#domain';
import { LogCorruptError } from '#pipeline';
import { AvroCursor } from './avro-cursor.js';
import { BRANCH, ORIGINS } from './log-branches.js';

/** The schema version whose bytes this reads. */
export const READER_VERSION = 1;

const CUSTOMER = 0;

export class LogEntryReader {
  private readonly cursor = new AvroCursor();
  /** Of the record in hand; the factories copy it, so one will do for all. */
  private readonly head = emptyHead();

  /** `start`: where the Avro bytes begin. @throws LogCorruptError */
  read(bytes: Uint8Array, start: number): LogEntry {
    const { cursor } = this;
    cursor.start(bytes, start);
    const at = cursor.long();
    const arrivedAt = cursor.long();
    const entry = cursor.present() ? this.touchpoint(at, arrivedAt) : this.control(at, arrivedAt);
    if (cursor.present()) {
      cursor.skipText();
      cursor.long();
      cursor.long();
    }
    cursor.end();
    return entry;
  }

  private touchpoint(at: number, arrivedAt: number): Touchpoint {
    const { cursor } = this;
    const { head } = this;
    head.at = at;
    head.arrivedAt = arrivedAt;
    head.eventId = cursor.text();
    head.brand = cursor.commonText();
    head.person = cursor.text();
    head.guest = cursor.boolean();
    head.channel = cursor.commonText();
    head.clockShiftMs = cursor.long();
    head.contentHash = cursor.long();
    head.origin = cursor.symbol(ORIGINS);
    head.staffOrBot = cursor.long() !== CUSTOMER;
    head.campaign = cursor.optionalCommonText();
    head.entrySource = cursor.optionalCommonText();
    return this.body(head);
  }

  private body(head: TouchpointHead): Touchpoint {
    const { cursor } = this;
    const publicDomain = cursor.boolean();
    const paid = cursor.boolean();
    cursor.skipOptionalText();
    cursor.skipOptionalText();
    const shareId = cursor.optionalText();
    const itemId = cursor.optionalText();
    const roomId = cursor.optionalCommonText();
    const groupId = cursor.optionalCommonText();
    const content = cursor.optionalText();
    const branch = cursor.long();
    switch (branch) {
      case BRANCH.link: {
        const link = cursor.symbol(LINK_KINDS);
        const on = cursor.boolean();
        const groupKind = cursor.optionalSymbol(GROUP_KINDS);
        return linkChanged(head, { link, on, groupKind, inviter: cursor.optionalText() });
      }
      case BRANCH.visit: {
        const surface = cursor.symbol(VISIT_SURFACES);
        const dwellMs = cursor.optionalLong();
        return visited(head, { surface, publicDomain, paid, dwellMs, itemId, roomId, shareId });
      }
      case BRANCH.engagement: {
        const action = cursor.symbol(ENGAGEMENT_ACTIONS);
        cursor.skipOptionalText();
        return engaged(head, { action, itemId, roomId, groupId });
      }
      case BRANCH.shared:
        this.skipShareContext();
        return contentShared(head, { shareId: required(shareId), itemId, content });
      case BRANCH.shareClicked: {
        const sharer = cursor.optionalText();
        this.skipShareContext();
        return shareClicked(head, { shareId: required(shareId), sharer, itemId });
      }
      case BRANCH.note:
        return this.note(head);
      default:
        return this.orderBody(branch, head, itemId, shareId);
    }
  }

  private orderBody(
    branch: number,
    head: TouchpointHead,
    itemId: string | null,
    shareId: string | null,
  ): Touchpoint {
    const { cursor } = this;
    switch (branch) {
      case BRANCH.orderPaid: {
        const orderId = cursor.text();
        const lineId = cursor.text();
        const amountMinor = cursor.long();
        const presaleBalance = cursor.boolean();
        const quantity = cursor.optionalLong();
        const order = { orderId, lineId, amountMinor, presaleBalance, itemId, quantity, shareId };
        return orderPaid(head, order);
      }
      case BRANCH.orderRefunded: {
        const orderId = cursor.optionalText();
        const lineId = cursor.optionalText();
        const refundId = cursor.text();
        const amountMinor = cursor.long();
        const full = cursor.boolean();
        cursor.optionalLong();
        return orderRefunded(head, { orderId, lineId, refundId, amountMinor, full });
      }
      case BRANCH.presaleDeposit: {
        const orderId = cursor.text();
        const lineId = cursor.text();
        const amountMinor = cursor.long();
        cursor.optionalLong();
        return presaleDeposited(head, { orderId, lineId, amountMinor });
      }
      case BRANCH.review: {
        const orderId = cursor.optionalText();
        cursor.skipOptionalText();
        const stars = cursor.optionalLong();
        const positive = cursor.optionalBoolean();
        const deleted = cursor.boolean();
        return reviewed(head, { orderId, itemId, stars, positive, deleted });
      }
      default:
        throw new LogCorruptError(`branch ${branch} with a head`);
    }
  }

  private note(head: TouchpointHead): Touchpoint {
    const { cursor } = this;
    // The symbols after these are those of kinds that are not folded past.
    const note = cursor.symbol(NOTE_KINDS);
    const on = cursor.boolean();
    const role = cursor.optionalSymbol(ROLES);
    const assignee = cursor.optionalText();
    const inviter = cursor.optionalText();
    cursor.skipOptionalText();
    return noted(head, { note, on, role, assignee, inviter });
  }

  private skipShareContext(): void {
    this.cursor.skipOptionalText();
    this.cursor.optionalLong();
    this.cursor.optionalLong();
  }

  private control(at: number, arrivedAt: number): LogEntry {
    const { cursor } = this;
    const branch = cursor.long();
    switch (branch) {
      case BRANCH.tick:
        return { type: 'tick', at, arrivedAt };
      case BRANCH.rulesSet:
        return { type: 'rulesSet', rulesJson: cursor.text(), arrivedAt };
      case BRANCH.epochRaised: {
        const epoch = cursor.long();
        const generation = cursor.long();
        return { type: 'epochRaised', epoch, generation, logId: cursor.text(), arrivedAt };
      }
      case BRANCH.credit:
        return {
          type: 'credit',
          at,
          arrivedAt,
          brand: cursor.commonText(),
          person: cursor.text(),
          generation: cursor.long(),
          sourcePartition: cursor.long(),
          sourceOffset: cursor.long(),
          ordinal: cursor.long(),
          shareId: cursor.text(),
          causeEventId: cursor.text(),
          amountMinor: cursor.long(),
          conversions: cursor.long(),
        };
      default:
        throw new LogCorruptError(`branch ${branch} without a head`);
    }
  }
}

function required(shareId: string | null): string {
  if (shareId === null) throw new LogCorruptError('a share without its id');
  return shareId;
}

type Mutable<T> = { -readonly [Field in keyof T]: T[Field] };

function emptyHead(): Mutable<TouchpointHead> {
  return {
    eventId: '',
    brand: '',
    person: '',
    guest: false,
    channel: '',
    at: 0,
    arrivedAt: 0,
    clockShiftMs: 0,
    contentHash: 0,
    origin: 'LIVE',
    entrySource: null,
    campaign: null,
    staffOrBot: false,
  };
}
