import type { Rules, WindowSpec } from '../rules.js';
import type { LinkView, MoneyChange } from '../window-port.js';
import { WindowChanges } from '../windows/window-changes.js';

/** The stocks of one scheme differ from one local day on. */
export interface StandingShift {
  readonly type: 'standing';
  readonly brand: string;
  readonly schemeId: string;
  /** Local day number from which on the difference holds. */
  readonly day: number;
  /** Persons more, by `STANDING_CELLS`: tiers 0–5, deepened, deepened of the cohort. */
  readonly difference: readonly number[];
}

/** Index of each stock in a `StandingShift` after the tiers 0–5. */
export const DEEPENED_CELL = 6;
export const COHORT_CELL = 7;
export const STANDING_CELLS = 8;

export interface LinksShift {
  readonly type: 'links';
  readonly brand: string;
  readonly before: LinkView;
  readonly after: LinkView;
  /** Null: in every zone. Else only there: the zone is new, and learns of what is there. */
  readonly zone: string | null;
}

export interface MoneyShift extends MoneyChange {
  readonly type: 'money';
  /** As in `LinksShift`. */
  readonly zone: string | null;
}

export type DayChange =
  | StandingShift
  | LinksShift
  | MoneyShift
  | { readonly type: 'watermark'; readonly at: number }
  | { readonly type: 'rules'; readonly rules: Rules };

/** An event that came after some ends of a window had become final: a line of the late ledger. */
export interface LateArrival {
  readonly brand: string;
  readonly channel: string;
  readonly window: string;
  readonly eventId: string;
  readonly person: string;
  readonly at: number;
  readonly arrivedAt: number;
  /** The final ends it missed as instants, [missedFrom, missedTo), ms. */
  readonly missedFrom: number;
  readonly missedTo: number;
  /** Of the event in the log. */
  readonly offset: number;
}

/** What a batch changes in the figures, each part in order. Nothing is touched until it is applied. */
export interface FigureChanges {
  /** Figures by local day. */
  readonly days: readonly DayChange[];
  /** Rolling figures. */
  readonly windows: WindowChanges;
  readonly late: readonly LateArrival[];
}

/** Collects the changes of a batch. */
export class FigureRecorder implements FigureChanges {
  readonly days: DayChange[] = [];
  readonly late: LateArrival[] = [];
  private recorded: WindowChanges;

  constructor(specs: readonly WindowSpec[]) {
    this.recorded = new WindowChanges(specs);
  }

  get windows(): WindowChanges {
    return this.recorded;
  }

  /** The first rules of a log say what its windows are. */
  useWindows(specs: readonly WindowSpec[]): void {
    if (this.recorded.size === 0) this.recorded = new WindowChanges(specs);
  }
}
