import { type SeededRandom } from './seeded-random.js';

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
  checkpoint: ['lost', 'unanswered', 'killed before', 'killed after'],
} as const satisfies Record<string, readonly CallFault[]>;
export type CallKind = keyof typeof CALL_FAULTS;

/** Decides which calls go wrong, and how. */
export class FaultPolicy {
  isOn = true;

  /**
   * @param rate         the share of calls that fail
   * @param killRate     the share of those in which the process dies
   * @param endingRate   the share of failing ends of transactions: what hurts most should happen often
   */
  constructor(
    private readonly random: SeededRandom,
    private readonly rate: number,
    private readonly killRate: number,
    private readonly endingRate: number,
  ) {}

  draw(kind: CallKind): CallFault | null {
    if (!this.isOn || !this.random.chance(kind === 'end' ? this.endingRate : this.rate)) return null;
    const fault = this.random.pick<CallFault>(CALL_FAULTS[kind]);
    const isDeath = fault === 'killed before' || fault === 'killed after';
    return isDeath && !this.random.chance(this.killRate) ? null : fault;
  }
}
