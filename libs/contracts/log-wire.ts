/** The shape of `schemas/relationship-log` under camelCase names, as avsc reads and writes it. */
import type {
  Actor,
  ContentKind,
  EngagementAction,
  FissionForm,
  GroupKind,
  LinkKind,
  NoteKind,
  Origin,
  Role,
  SourcePosition,
  VisitSurface,
} from '#domain';

export interface WireHead {
  readonly eventId: string;
  readonly brand: string;
  readonly person: string;
  readonly guest: boolean;
  readonly channel: string;
  readonly clockShiftMs: number;
  readonly contentHash: number;
  readonly origin: Origin;
  readonly actor: Actor;
  readonly campaign: string | null;
  readonly entrySource: string | null;
  readonly publicDomain: boolean;
  readonly paid: boolean;
  readonly mechanism: string | null;
  readonly guide: string | null;
  readonly shareId: string | null;
  readonly itemId: string | null;
  readonly roomId: string | null;
  readonly groupId: string | null;
  readonly contentId: string | null;
}

interface WireShareContext {
  readonly parentShareId: string | null;
  readonly contentKind: ContentKind | null;
  readonly fissionForm: FissionForm | null;
}

/** By the name of the union's branch. */
export interface WireBodies {
  readonly 'gravity.log.Link': {
    readonly link: LinkKind;
    readonly on: boolean;
    readonly groupKind: GroupKind | null;
    readonly inviter: string | null;
  };
  readonly 'gravity.log.Visit': { readonly surface: VisitSurface; readonly dwellMs: number | null };
  readonly 'gravity.log.Engagement': { readonly action: EngagementAction; readonly couponId: string | null };
  readonly 'gravity.log.OrderPaid': {
    readonly orderId: string;
    readonly lineId: string;
    readonly amountMinor: number;
    readonly presaleBalance: boolean;
    readonly quantity: number | null;
  };
  readonly 'gravity.log.OrderRefunded': {
    readonly orderId: string | null;
    readonly lineId: string | null;
    readonly refundId: string;
    readonly amountMinor: number;
    readonly full: boolean;
    readonly quantity: number | null;
  };
  readonly 'gravity.log.PresaleDeposit': {
    readonly orderId: string;
    readonly lineId: string;
    readonly amountMinor: number;
    readonly quantity: number | null;
  };
  readonly 'gravity.log.Review': {
    readonly orderId: string | null;
    readonly reviewId: string | null;
    readonly stars: number | null;
    readonly positive: boolean | null;
    readonly deleted: boolean;
  };
  readonly 'gravity.log.Shared': WireShareContext;
  readonly 'gravity.log.ShareClicked': WireShareContext & { readonly sharer: string | null };
  readonly 'gravity.log.Tick': Readonly<Record<string, never>>;
  readonly 'gravity.log.RulesSet': { readonly rulesJson: string };
  readonly 'gravity.log.EpochRaised': {
    readonly epoch: number;
    readonly generation: number;
    readonly logId: string;
  };
  readonly 'gravity.log.Credit': {
    readonly brand: string;
    readonly person: string;
    readonly generation: number;
    readonly sourcePartition: number;
    readonly sourceOffset: number;
    readonly ordinal: number;
    readonly shareId: string;
    readonly causeEventId: string;
    readonly amountMinor: number;
    readonly conversions: number;
  };
  readonly 'gravity.log.Note': {
    readonly note: NoteKind;
    readonly on: boolean;
    readonly role: Role | null;
    readonly assignee: string | null;
    readonly inviter: string | null;
    /** For identities, which are not written yet. */
    readonly linkedPerson: string | null;
  };
}

export interface WireEntry {
  readonly at: number;
  readonly arrivedAt: number;
  readonly head: WireHead | null;
  /** Exactly one branch. */
  readonly body: Partial<WireBodies>;
  readonly source: SourcePosition | null;
}
