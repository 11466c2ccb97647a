/** Decode → fold → aggregate in this process, without any I/O, beside the floor on the same bytes. */
import { LocalSchemaRegistry, RelationshipLogCodec, SchemaCatalog } from '#contracts';
import {
  BatchFold,
  DEFAULT_WINDOWS,
  defaultRules,
  DueIndex,
  Figures,
  INITIAL_FRAME,
  type FoldFrame,
  type LogEntry,
  type Relationship,
  type WindowSpec,
} from '#domain';
import { type BenchOptions, eventsOf, personsOf } from './bench-options.js';
import { collectGarbage } from './collect-garbage.js';
import type { BenchResult } from './bench-report.js';
import { FloorFold } from './floor-fold.js';
import { cpuSeconds, MachineWatch } from './machine.js';
import { nightLog, type NightLog } from './night-log.js';
import { assertTruth, grossMinorOf } from './truth.js';

const EVENTS = 1_000_000;
const BATCH_RECORDS = 5_000;
/** Rows are taken as often as a service at full speed flushes: about once a second. */
const FLUSH_RECORDS = 200_000;
/** What the first events cost is start-up: compiling, growing heaps. */
const STEADY_FROM = 0.2;
const TARGET = 200_000;

export async function hotPath(options: BenchOptions): Promise<BenchResult> {
  const codec = await RelationshipLogCodec.open(new LocalSchemaRegistry(), SchemaCatalog.load());
  const log = nightLog(codec, {
    events: eventsOf(options, EVENTS),
    persons: personsOf(options),
    seed: options.seed,
  });
  const watch = new MachineWatch();
  const before = process.cpuUsage();
  // What one leaves on the heap must not be the next one's to collect.
  collectGarbage();
  const floor = measureFloor(log);
  collectGarbage();
  const plain = measureFold(log, codec, []);
  collectGarbage();
  const full = measureFold(log, codec, DEFAULT_WINDOWS);
  const surroundings = watch.end(cpuSeconds(before));
  const unit = 'events/CPU-s';
  const windowsMicros = 1e6 / full.steady - 1e6 / plain.steady;
  return {
    part: 'hot-path',
    settings: { events: log.events, persons: log.persons, seed: options.seed, mix: log.mix },
    measures: [
      { what: 'floor: avsc decode + Map fold', unit, value: floor, floor },
      {
        what: 'decode, state, tiers, stocks, GMV',
        unit,
        value: plain.steady,
        floor,
        target: { atLeast: TARGET },
      },
      { what: '… and all windows', unit, value: full.steady, floor },
      { what: 'windows apart', unit: 'µs/event', value: windowsMicros, floor: null },
      ...Object.entries(full.micros).map(([what, value]) => ({
        what: `of all: ${what}`,
        unit: 'µs/event',
        value,
        floor: null,
      })),
    ],
    checks: [`GMV ${log.paidMinor} and ${log.persons} persons, by the floor and by the stocks`],
    surroundings,
  };
}

/** Events per CPU-second after the start. */
function measureFloor(log: NightLog): number {
  const floor = new FloorFold();
  const steady = new Steady(log);
  const { records } = log;
  for (let from = 0; from < records.length; from += BATCH_RECORDS) {
    const batch = records.batch(from, from + BATCH_RECORDS);
    for (const value of batch) floor.add(value);
    steady.passed(from + batch.length - 1);
  }
  const rate = steady.rate();
  assertTruth('persons of the floor', floor.persons, log.persons);
  assertTruth('GMV of the floor', floor.paidMinor, log.paidMinor);
  return rate;
}

interface Measured {
  readonly steady: number;
  /** CPU per event of each stage, over the whole run. */
  readonly micros: Readonly<Record<string, number>>;
}

function measureFold(log: NightLog, codec: RelationshipLogCodec, windows: readonly WindowSpec[]): Measured {
  const partition = new MemoryPartition(windows);
  const stages = new Map<string, number>();
  const timed = <T>(stage: string, work: () => T): T => {
    const before = process.cpuUsage();
    const result = work();
    stages.set(stage, (stages.get(stage) ?? 0) + cpuSeconds(before));
    return result;
  };
  const steady = new Steady(log);
  const { records } = log;
  for (let from = 0; from < records.length; from += BATCH_RECORDS) {
    const batch = records.batch(from, from + BATCH_RECORDS);
    const entries = timed('decode', () => batch.map((value) => codec.decode(value)));
    timed('fold', () => partition.fold(entries));
    timed('join and aggregate', () => partition.join());
    if (from % FLUSH_RECORDS === 0) timed('take rows', () => partition.takeRows());
    steady.passed(from + batch.length - 1);
  }
  const rate = steady.rate();
  partition.takeRows();
  assertTruth('GMV of the stocks', partition.grossMinor(), log.paidMinor);
  assertTruth('persons folded', partition.persons, log.persons);
  const micros = [...stages].map(([stage, seconds]) => [stage, (seconds * 1e6) / log.events] as const);
  return { steady: rate, micros: Object.fromEntries(micros) };
}

/** A partition as the relationship service holds it, but for store, cache bound and outbox. */
class MemoryPartition {
  readonly #states = new Map<string, Relationship>();
  readonly #dues = new DueIndex();
  readonly #figures = Figures.empty();
  #frame: FoldFrame = INITIAL_FRAME;
  #offset = 0;
  #folded: BatchFold;

  constructor(windows: readonly WindowSpec[]) {
    this.#folded = this.#begin();
    const rulesJson = JSON.stringify(defaultRules({ windows }));
    this.fold([
      { type: 'epochRaised', epoch: 1, generation: 1, logId: 'bench', arrivedAt: 0 },
      { type: 'rulesSet', rulesJson, arrivedAt: 0 },
    ]);
    this.join();
  }

  get persons(): number {
    return this.#states.size;
  }

  fold(entries: readonly LogEntry[]): void {
    this.#folded = this.#begin();
    for (const entry of entries) this.#folded.apply(entry, this.#offset++);
  }

  join(): void {
    const { states, dues, changes, frame } = this.#folded.result();
    for (const [key, state] of states) {
      if (state === null) this.#states.delete(key);
      else this.#states.set(key, state);
    }
    this.#dues.apply(dues);
    this.#figures.apply(changes);
    this.#frame = frame;
  }

  takeRows(): number {
    const { length } = this.#figures.takeWindowRows(true);
    this.#figures.takeHeartbeats();
    return length + this.#figures.takePeriodRows().length;
  }

  grossMinor(): number {
    return grossMinorOf(this.#figures);
  }

  #begin(): BatchFold {
    return new BatchFold({ load: (key) => this.#states.get(key), dues: this.#dues, frame: this.#frame });
  }
}

/** CPU time from where the run is steady. */
class Steady {
  #from: { readonly index: number; readonly cpu: NodeJS.CpuUsage } | null = null;

  constructor(private readonly log: NightLog) {}

  passed(index: number): void {
    if (this.#from === null && index >= this.log.records.length * STEADY_FROM) {
      this.#from = { index, cpu: process.cpuUsage() };
    }
  }

  /** Events per CPU-second; ticks are none. */
  rate(): number {
    if (this.#from === null) throw new Error('too few events to measure');
    const share = (this.log.records.length - 1 - this.#from.index) / this.log.records.length;
    return (this.log.events * share) / cpuSeconds(this.#from.cpu);
  }
}
