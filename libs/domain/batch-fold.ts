import { DueQueue } from './due-queue.js';
import type { DueChanges, DueIndex } from './due-index.js';
import { sweepAt } from './due-instants.js';
import { evaluate, type Occasion } from './evaluate.js';
import {
  personKey,
  type FoldedTouchpoint,
  type LogEntry,
  type Noted,
  type RulesSet,
  type Tick,
  type Touchpoint,
} from './events.js';
import type { TierChanged } from './facts.js';
import { FigureRecorder, type FigureChanges } from './figures/figure-changes.js';
import { foldContext, type FoldContext } from './fold-context.js';
import type { FoldFrame } from './fold-frame.js';
import { parseRules } from './parse-rules.js';
import { draftOf, type Draft, type Relationship } from './relationship.js';
import { isForgettable, isPrunable, pruned } from './retention.js';
import { step } from './step.js';
import { compileRules } from './compiled-rules.js';
import { announceToNewZones } from './new-zones.js';

/** What is committed. A fold never changes it. */
export interface FoldBase {
  load(key: string): Relationship | undefined;
  readonly dues: DueIndex;
  readonly frame: FoldFrame;
}

/** What a batch would change. Takes effect when its transaction is known to be committed, else is dropped. */
export interface BatchResult {
  /** Null: the state is dropped. */
  readonly states: ReadonlyMap<string, Relationship | null>;
  readonly facts: readonly TierChanged[];
  readonly changes: FigureChanges;
  readonly dues: DueChanges;
  readonly frame: FoldFrame;
  /** More persons are due than the last tick could pop: the owner appends another tick of the same time. */
  readonly moreDue: boolean;
  readonly counts: FoldCounts;
}

export interface FoldCounts {
  readonly touchpoints: number;
  /** Touchpoints that changed nothing: known already, or a record of the same id had precedence. */
  readonly duplicates: number;
  /** Touchpoints behind the watermark. */
  readonly late: number;
  /** Touchpoints behind the watermark by more than `Rules.stateLatenessMs`. */
  readonly tooLate: number;
  readonly ticks: number;
  readonly duePersons: number;
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

const EPOCH_FACTOR = 2n ** 48n;

/** Folds a batch of log entries into an overlay over `base`. */
export class BatchFold {
  private frame: FoldFrame;
  private ctx: FoldContext;
  private epochVersion: bigint;
  private readonly out: FigureRecorder;
  private readonly dues: DueQueue;
  private readonly states = new Map<string, Relationship | null>();
  private readonly facts: TierChanged[] = [];
  private moreDue = false;
  private readonly counts: Writable<FoldCounts> = {
    touchpoints: 0,
    duplicates: 0,
    late: 0,
    tooLate: 0,
    ticks: 0,
    duePersons: 0,
  };

  constructor(private readonly base: FoldBase) {
    this.frame = base.frame;
    this.out = new FigureRecorder(compileRules(base.frame.rules).rules.windows);
    this.ctx = foldContext(this.frame, this.out);
    this.epochVersion = BigInt(this.frame.epoch) * EPOCH_FACTOR;
    this.dues = new DueQueue(base.dues);
  }

  /**
   * Rules may change schemes at any time: everybody is looked at again from the next tick on. The windows of a
   * log are those of its first rules, its zones and `fineRowsFrom` only grow.
   * @throws Error when a `RulesSet` holds no valid rules: our own log is never rejected, the partition stops
   */
  apply(entry: LogEntry, offset: number): void {
    switch (entry.type) {
      case 'tick':
        this.applyTick(entry, offset);
        return;
      case 'rulesSet':
        this.applyRules(entry, offset);
        return;
      case 'epochRaised': {
        const { logId } = entry;
        // A rebuild folds what lies before its own epoch as if it had begun there.
        const epoch = Math.max(entry.epoch, this.frame.epoch);
        const generation = Math.max(entry.generation, this.frame.generation);
        this.frame = { ...this.frame, epoch, generation, logId };
        this.epochVersion = BigInt(epoch) * EPOCH_FACTOR;
        return;
      }
      case 'credit':
        // Propagated value is not folded yet; nobody writes credits before it is.
        return;
      case 'note':
        // Of notes only this kind is read; the others are recorded for rules to come.
        if (entry.note === 'REACH') this.applyTouchpoint(entry, offset);
        else this.counts.touchpoints += 1;
        return;
      default:
        this.applyTouchpoint(entry, offset);
    }
  }

  result(): BatchResult {
    return {
      states: this.states,
      facts: this.facts,
      changes: this.out,
      dues: this.dues.changes,
      frame: this.frame,
      moreDue: this.moreDue,
      counts: this.counts,
    };
  }

  private applyTouchpoint(event: FoldedTouchpoint | Noted, offset: number): void {
    this.count(event);
    this.frame = this.frame.zones === undefined ? { ...this.frame, zones: this.ctx.zones } : this.frame;
    const before = this.stateOf(personKey(event.brand, event.person));
    const { after, news, changedFrom } = step(before, event, this.ctx);
    if (news) this.noteLate(event, offset);
    else this.counts.duplicates += 1;
    if (after === null) return;
    const { key } = after;
    if (before !== undefined && !this.needsReview(before, after, changedFrom)) {
      this.keep(key, before, after);
      return;
    }
    // An import brings old orders piece by piece: what is settled at once would not be found by its other lines.
    const mayPrune = event.origin !== 'BACKFILL' && isPrunable(after, this.ctx.retention);
    const kept = mayPrune ? this.prune(after) : after;
    if (kept !== null) this.review(before, kept, this.occasion(event, changedFrom, event.arrivedAt, offset));
    this.replace(key, before, kept);
  }

  private needsReview(before: Relationship, after: Relationship, changedFrom: number): boolean {
    return (
      changedFrom !== Infinity ||
      before.rulesHash !== this.ctx.rules.hash ||
      before.zones !== this.ctx.zones.length ||
      Math.max(this.frame.watermark, after.lastAt) >= before.dueAt
    );
  }

  private applyTick(tick: Tick, offset: number): void {
    this.counts.ticks += 1;
    if (tick.at > this.frame.watermark) {
      this.frame = { ...this.frame, watermark: tick.at };
      this.ctx = foldContext(this.frame, this.out);
      this.out.days.push({ type: 'watermark', at: tick.at });
      this.out.windows.advance(tick.at);
    }
    const occasion = this.occasion(null, Infinity, tick.arrivedAt, offset);
    const due = this.dues.take(this.frame.watermark, this.ctx.rules.rules.duesPerTick);
    for (const key of due.keys) this.lookAgain(key, occasion);
    this.moreDue = due.more;
  }

  /** Time has come for a person: falls, then forgetting. */
  private lookAgain(key: string, occasion: Occasion): void {
    this.counts.duePersons += 1;
    const before = this.stateOf(key);
    if (before === undefined) {
      this.dues.move(key, undefined, undefined);
      return;
    }
    const kept = this.swept(before);
    if (kept !== null) this.review(before, kept, occasion);
    this.replace(before.key, before, kept);
  }

  /** Null when nothing is left to know. */
  private swept(before: Relationship): Draft | null {
    const { retirement, retention } = this.ctx;
    if (isForgettable(before, retirement, this.frame.watermark)) return null;
    const isRetired = before.lastAt + retirement.personMs <= this.frame.watermark;
    return isRetired || isPrunable(before, retention) ? this.prune(before) : draftOf(before);
  }

  private applyRules(entry: RulesSet, offset: number): void {
    const rules = parseRules(entry.rulesJson);
    if (typeof rules === 'string') throw new Error(`RulesSet at offset ${offset}: ${rules}`);
    // Before anything was folded the first rules are free; what was kept by then is in zones and grains.
    const { zones: known = [] } = this.frame;
    const first = known.length === 0 ? rules : this.ctx.rules.rules;
    const { windows } = first;
    const fineRowsFrom = Math.max(first.fineRowsFrom, rules.fineRowsFrom);
    const added = rules.schemes.map(({ zone }) => zone);
    this.frame = {
      ...this.frame,
      rules: { ...rules, windows, fineRowsFrom },
      zones: [...new Set([...known, ...added])],
    };
    if (known.length === 0) this.out.useWindows(windows);
    this.ctx = foldContext(this.frame, this.out);
    this.out.days.push({ type: 'rules', rules: this.ctx.rules.rules });
    this.out.windows.setFineRowsFrom(fineRowsFrom);
    this.dues.allDue();
  }

  private review(before: Relationship | undefined, kept: Draft, occasion: Occasion): void {
    announceToNewZones(before, this.ctx);
    evaluate(before, kept, occasion, this.ctx, this.facts);
  }

  private prune(state: Relationship): Draft | null {
    return pruned(state, this.ctx.retention, this.ctx.grid);
  }

  private stateOf(key: string): Relationship | undefined {
    const own = this.states.get(key);
    if (own !== undefined) return own ?? undefined;
    return this.base.load(key);
  }

  /** The person's standings still hold. */
  private keep(key: string, before: Relationship, after: Draft): void {
    if (before.dueAt !== Infinity) {
      this.states.set(key, after);
      return;
    }
    // Swept and at rest; there is something to forget again.
    after.dueAt = sweepAt(after, this.ctx.retirement, this.frame.watermark, false);
    this.replace(key, before, after);
  }

  private replace(key: string, before: Relationship | undefined, after: Relationship | null): void {
    this.states.set(key, after);
    this.dues.move(key, before?.dueAt, after?.dueAt);
  }

  private occasion(
    event: Touchpoint | null,
    changedFrom: number,
    arrivedAt: number,
    offset: number,
  ): Occasion {
    return { event, changedFrom, arrivedAt, offset, epochVersion: this.epochVersion };
  }

  private count(event: Touchpoint): void {
    this.counts.touchpoints += 1;
    if (event.at >= this.frame.watermark) return;
    this.counts.late += 1;
    if (
      event.origin !== 'BACKFILL' &&
      event.at < this.frame.watermark - this.ctx.rules.rules.stateLatenessMs
    ) {
      this.counts.tooLate += 1;
    }
  }

  /** What an import brings is never late; a repetition has missed nothing. */
  private noteLate(event: FoldedTouchpoint | Noted, offset: number): void {
    if (event.at >= this.frame.watermark || event.origin === 'BACKFILL') return;
    const { brand, channel, eventId, person, at, arrivedAt } = event;
    const isLasting = event.type === 'link' || event.type === 'note';
    for (const { window, fromEnd, toEnd } of this.out.windows.countLate(at, this.ctx.grid, isLasting)) {
      this.out.late.push({
        ...{ brand, channel, window, eventId, person, at, arrivedAt, offset },
        missedFrom: fromEnd,
        missedTo: toEnd,
      });
    }
  }
}
