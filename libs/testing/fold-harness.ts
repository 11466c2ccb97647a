/** Folds logs as an owner of a partition does, in memory: batches, commits, continued ticks. */
import {
  BatchFold,
  decodeState,
  DueIndex,
  dueEdges,
  dueOf,
  defaultRules,
  encodeFigures,
  encodeState,
  Figures,
  INITIAL_FRAME,
  personKey,
  personSummaries,
  restoreFigures,
  type BatchResult,
  type FoldFrame,
  type LogEntry,
  type PersonSummary,
  type Relationship,
  type Rules,
  type TierChanged,
} from '#domain';
import { epochRaised, KIT_BRAND, KIT_PERSON, rulesSet, tick } from './touchpoint-kit.js';

export class FoldHarness {
  readonly states = new Map<string, Relationship>();
  dues = new DueIndex();
  readonly facts: TierChanged[] = [];
  figures = Figures.empty();
  frame: FoldFrame = INITIAL_FRAME;
  offset = 0;
  lastResult: BatchResult | null = null;

  /** A log that begins with its epoch and these rules, or without both for `rules` null. */
  constructor(rules: Rules | null = defaultRules()) {
    if (rules !== null) this.fold([epochRaised(), rulesSet(rules)]);
  }

  get rules(): Rules {
    return this.frame.rules ?? defaultRules();
  }

  /** Folds `entries` in one batch and commits it. */
  fold(entries: readonly LogEntry[]): BatchResult {
    const { states, dues, frame } = this;
    const fold = new BatchFold({ load: (key) => states.get(key), dues, frame });
    for (const entry of entries) fold.apply(entry, this.offset++);
    const result = fold.result();
    for (const [key, state] of result.states) {
      if (state === null) states.delete(key);
      else states.set(key, state);
    }
    dues.apply(result.dues);
    this.figures.apply(result.changes);
    this.facts.push(...result.facts);
    this.frame = result.frame;
    this.lastResult = result;
    return result;
  }

  /** Everything goes through its stored form, as at a restart. */
  restart(): void {
    this.dues = new DueIndex();
    for (const [key, state] of this.states) {
      const stored = encodeState(state);
      this.states.set(key, decodeState(stored));
      this.dues.add(key, dueOf(stored, this.frame));
    }
    const blobs = new Map(encodeFigures(this.figures, this.frame));
    const restored = restoreFigures((name) => blobs.get(name) ?? undefined);
    this.figures = restored.figures;
    this.frame = restored.frame;
  }

  /** Ticks up to `to` (ms) as the owner appends them: one at every due edge, more while persons are due. */
  tickTo(to: number): readonly TierChanged[] {
    const before = this.facts.length;
    const { watermark } = this.frame;
    const edges = watermark === 0 ? [] : dueEdges(this.rules, watermark, to);
    for (const at of [...edges, to]) {
      let more = true;
      while (more) more = this.fold([tick(at)]).moreDue;
    }
    return this.facts.slice(before);
  }

  state(person = KIT_PERSON, brand = KIT_BRAND): Relationship | undefined {
    return this.states.get(personKey(brand, person));
  }

  /** The person under each scheme, at the larger of watermark and last event. */
  summaries(person = KIT_PERSON, brand = KIT_BRAND): readonly PersonSummary[] {
    const state = this.state(person, brand);
    return state === undefined ? [] : personSummaries(state, this.rules, this.frame.watermark);
  }

  summary(schemeId: string, person = KIT_PERSON, brand = KIT_BRAND): PersonSummary | undefined {
    return this.summaries(person, brand).find(({ scheme_id }) => scheme_id === schemeId);
  }
}
