import type { SeededRandom } from './seeded-random.js';

/** What may happen to a call of a port, besides that it succeeds. */
export type CallFault =
  /** It fails, and nothing has happened. */
  | 'lost'
  /** It fails, though it has happened. */
  | 'unanswered'
  /** It fails, and happens afterwards, some time. */
  | 'late'
  /** It succeeds, and happens once more, some time. */
  | 'twice'
  /** The process dies: before it happens, or after. */
  | 'killed before'
  | 'killed after';

const READ: readonly CallFault[] = ['lost', 'lost', 'killed before'];
const WRITE: readonly CallFault[] = ['lost', 'unanswered', 'late', 'killed before', 'killed after'];

/** The kinds of calls, and what may go wrong with each. */
export const CALL_FAULTS = {
  read: READ,
  fetch: READ,
  registry: READ,
  heartbeat: ['killed before'],
  join: ['killed before', 'killed after'],
  append: [...WRITE, 'twice'],
  producer: ['lost', 'unanswered', 'killed before', 'killed after'],
  send: WRITE,
  positions: WRITE,
  end: WRITE,
  insert: [...WRITE, 'twice'],
  snapshot: WRITE,
  checkpoint: ['lost', 'unanswered', 'killed before', 'killed after'],
} as const satisfies Record<string, readonly CallFault[]>;
export type CallKind = keyof typeof CALL_FAULTS;

/** What a broker that is away takes with it. */
const TRANSACTION_STEPS: ReadonlySet<CallKind> = new Set(['producer', 'send', 'positions', 'end']);
const OUTAGE_CALLS = 40;

/** Decides which calls go wrong, and how. */
export class FaultPolicy {
  isOn = true;
  /** Steps of transactions that fail one after the other, until everybody has given up. */
  #outageLeft = 0;

  /**
   * @param rate         the share of calls that fail
   * @param killRate     the share of those in which the process dies
   * @param endingRate   the share of failing ends of transactions: what hurts most should happen often
   * @param outages      null: single calls fail only; else now and then all transactions, for a while
   */
  constructor(
    private readonly random: SeededRandom,
    private readonly rate: number,
    private readonly killRate: number,
    private readonly endingRate: number,
    private readonly outages: SeededRandom | null,
  ) {}

  draw(kind: CallKind): CallFault | null {
    if (!this.isOn) return null;
    if (TRANSACTION_STEPS.has(kind)) {
      if (this.#outageLeft === 0 && this.outages?.chance(0.02) === true)
        this.#outageLeft = this.outages.below(OUTAGE_CALLS);
      if (this.#outageLeft > 0) {
        this.#outageLeft -= 1;
        return 'lost';
      }
    }
    if (!this.random.chance(kind === 'end' ? this.endingRate : this.rate)) return null;
    const fault = this.random.pick<CallFault>(CALL_FAULTS[kind]);
    const isDeath = fault === 'killed before' || fault === 'killed after';
    return isDeath && !this.random.chance(this.killRate) ? null : fault;
  }
}
