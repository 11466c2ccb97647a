/**
 * Touchpoints straight into the bytes of version 1 of `schemas/relationship-log`: what intake does for every event. A
 * property test holds the bytes equal to what avsc writes.
 */
import {
  CONTENT_KINDS,
  ENGAGEMENT_ACTIONS,
  FISSION_FORMS,
  GROUP_KINDS,
  LINK_KINDS,
  NOTE_KINDS,
  ROLES,
  VISIT_SURFACES,
  type Actor,
  type Touchpoint,
  type TouchpointDetail,
} from '#domain';
import type { EntryExtras } from '#pipeline';
import { AvroWriter } from './avro-writer.js';
import { BRANCH, ORIGINS } from './log-branches.js';

const ACTORS: readonly Actor[] = ['CUSTOMER', 'STAFF', 'BOT'];

/** What a touchpoint itself may say of the things it concerns. */
interface Context {
  readonly shareId?: string | null;
  readonly itemId?: string | null;
  readonly roomId?: string | null;
  readonly groupId?: string | null;
  readonly content?: string | null;
}
const NO_CONTEXT = {};

export class LogEntryWriter {
  private readonly out: AvroWriter;

  constructor(schemaId: number) {
    this.out = new AvroWriter(schemaId);
  }

  /** The framed value. @throws RangeError for what the schema does not hold */
  write(entry: Touchpoint, { detail, source }: EntryExtras): Buffer {
    const { out } = this;
    out.start();
    out.long(entry.at);
    out.long(entry.arrivedAt);
    out.present(true);
    this.head(entry, detail);
    this.body(entry, detail);
    out.present(source !== null);
    if (source !== null) {
      out.text(source.topic);
      out.long(source.partition);
      out.long(source.offset);
    }
    return out.end();
  }

  private head(entry: Touchpoint, detail: TouchpointDetail | null): void {
    const { out } = this;
    const context: Context = entry.type === 'link' || entry.type === 'note' ? NO_CONTEXT : entry;
    const visit = entry.type === 'visit' ? entry : detail;
    out.text(entry.eventId);
    out.text(entry.brand);
    out.text(entry.person);
    out.boolean(entry.guest);
    out.text(entry.channel);
    out.long(entry.clockShiftMs);
    out.long(entry.contentHash);
    out.symbol(ORIGINS, entry.origin);
    out.symbol(ACTORS, detail?.actor ?? (entry.staffOrBot === true ? 'STAFF' : 'CUSTOMER'));
    out.optionalText(entry.campaign);
    out.optionalText(entry.entrySource);
    out.boolean(visit?.publicDomain ?? false);
    out.boolean(visit?.paid ?? false);
    out.optionalText(detail?.mechanism ?? null);
    out.optionalText(detail?.guide ?? null);
    out.optionalText(context.shareId ?? detail?.shareId ?? null);
    out.optionalText(context.itemId ?? detail?.itemId ?? null);
    out.optionalText(context.roomId ?? detail?.roomId ?? null);
    out.optionalText(context.groupId ?? detail?.groupId ?? null);
    out.optionalText(context.content ?? detail?.contentId ?? null);
  }

  private body(entry: Touchpoint, detail: TouchpointDetail | null): void {
    const { out } = this;
    switch (entry.type) {
      case 'link':
        out.long(BRANCH.link);
        out.symbol(LINK_KINDS, entry.link);
        out.boolean(entry.on);
        out.optionalSymbol(GROUP_KINDS, entry.groupKind);
        out.optionalText(entry.inviter);
        return;
      case 'visit':
        out.long(BRANCH.visit);
        out.symbol(VISIT_SURFACES, entry.surface);
        out.optionalLong(entry.dwellMs);
        return;
      case 'engagement':
        out.long(BRANCH.engagement);
        out.symbol(ENGAGEMENT_ACTIONS, entry.action);
        out.optionalText(detail?.couponId ?? null);
        return;
      case 'shared':
        out.long(BRANCH.shared);
        this.shareContext(detail);
        return;
      case 'shareClicked':
        out.long(BRANCH.shareClicked);
        out.optionalText(entry.sharer);
        this.shareContext(detail);
        return;
      case 'note':
        out.long(BRANCH.note);
        out.symbol(NOTE_KINDS, entry.note);
        out.boolean(entry.on);
        out.optionalSymbol(ROLES, entry.role);
        out.optionalText(entry.assignee);
        out.optionalText(entry.inviter);
        // A linked person is for identities, which are not written yet.
        out.present(false);
        return;
      default:
        this.orderBody(entry, detail);
    }
  }

  private orderBody(
    entry: Extract<Touchpoint, { type: 'orderPaid' | 'orderRefunded' | 'presaleDeposit' | 'review' }>,
    detail: TouchpointDetail | null,
  ): void {
    const { out } = this;
    switch (entry.type) {
      case 'orderPaid':
        out.long(BRANCH.orderPaid);
        out.text(entry.orderId);
        out.text(entry.lineId);
        out.long(entry.amountMinor);
        out.boolean(entry.presaleBalance);
        out.optionalLong(entry.quantity);
        return;
      case 'orderRefunded':
        out.long(BRANCH.orderRefunded);
        out.optionalText(entry.orderId);
        out.optionalText(entry.lineId);
        out.text(entry.refundId);
        out.long(entry.amountMinor);
        out.boolean(entry.full);
        out.optionalLong(detail?.quantity ?? null);
        return;
      case 'presaleDeposit':
        out.long(BRANCH.presaleDeposit);
        out.text(entry.orderId);
        out.text(entry.lineId);
        out.long(entry.amountMinor);
        out.optionalLong(detail?.quantity ?? null);
        return;
      case 'review':
        out.long(BRANCH.review);
        out.optionalText(entry.orderId);
        out.optionalText(detail?.reviewId ?? null);
        out.optionalLong(entry.stars);
        out.optionalBoolean(entry.positive);
        out.boolean(entry.deleted);
    }
  }

  private shareContext(detail: TouchpointDetail | null): void {
    const { out } = this;
    out.optionalText(detail?.parentShareId ?? null);
    out.optionalSymbol(CONTENT_KINDS, detail?.contentKind ?? null);
    out.optionalSymbol(FISSION_FORMS, detail?.fissionForm ?? null);
  }
}
