/** The rolling engine alone: presence and links in, spans into the figures, rows out at every slide step. */
import { DEFAULT_WINDOWS, type WindowRow, type WindowSpec } from '#domain';
import { type BenchOptions, eventsOf, personsOf } from './bench-options.js';
import type { BenchResult, Measure } from './bench-report.js';
import { collectGarbage } from './collect-garbage.js';
import { EngineFold } from './engine-fold.js';
import { ENGINE_BRANDS, ENGINE_CHANNELS, engineLoad, type EngineLoad } from './engine-load.js';
import { RowTable } from './engine-recount.js';
import { cpuSeconds, MachineWatch } from './machine.js';

const EVENTS = 1_000_000;
const PERSONS = 200_000;
/** Just before an hour, so that an end of every window closes on the way. */
const FROM = Date.UTC(2026, 10, 10, 11, 55);
const EVENTS_PER_SECOND = 2_000;
/** Rows in order must not depend on the rate: counted at this part of it too. */
const CALM = 4;
const BATCH_EVENTS = 5_000;
/** Rows are taken, and what late events corrected is, once a slide of the finest default window. */
const STEP_MS = 10_000;
/** What the first events cost is start-up: compiling, growing heaps. */
const STEADY_FROM = 0.2;
const TARGET = 350_000;
/**
 * Work must not depend on the width: a window that reaches over 720 ends may cost so much more than one of 30.
 * (It costs less: who comes twice within its slide of an hour adds nothing.)
 */
const FLATNESS = 1.2;

export function enginePath(options: BenchOptions): BenchResult {
  const events = eventsOf(options, EVENTS);
  const persons = personsOf(options, PERSONS);
  const { seed } = options;
  const load = engineLoad({ events, persons, seed, from: FROM, eventsPerSecond: EVENTS_PER_SECOND });
  const watch = new MachineWatch();
  const before = process.cpuUsage();
  const all = measure(load, DEFAULT_WINDOWS);
  const calm = measure(
    engineLoad({
      events: Math.ceil(events / CALM),
      persons,
      seed,
      from: FROM,
      eventsPerSecond: EVENTS_PER_SECOND / CALM,
    }),
    DEFAULT_WINDOWS,
  );
  const [narrow, wide] = ['5m', '30d'].map((name) =>
    measure(
      load,
      DEFAULT_WINDOWS.filter(({ id }) => id === name),
    ),
  );
  if (narrow === undefined || wide === undefined) throw new Error('two windows are to be compared');
  const surroundings = watch.end(cpuSeconds(before));
  const unit = 'events/CPU-s';
  const apart = (what: string, value: number, of = 'µs/event'): Measure => {
    return { what, unit: of, value, floor: null };
  };
  return {
    part: 'engine',
    settings: { events, persons, seed, brands: ENGINE_BRANDS.length, channels: ENGINE_CHANNELS.length },
    measures: [
      { what: 'all windows', unit, value: all.rate, floor: null, target: { atLeast: TARGET } },
      apart('of it: recording', all.recording),
      apart('of it: into the figures', all.applying),
      apart('of it: rows', all.taking),
      apart('only 5 min by 10 s', narrow.rate, unit),
      apart('only 30 d by 1 h', wide.rate, unit),
      {
        what: 'the wide one costs, to the narrow one',
        unit: '×',
        value: narrow.rate / wide.rate,
        floor: null,
        target: { atMost: FLATNESS },
      },
      apart('rows a slide step, in order', all.inOrder, 'rows/10 s'),
      apart('… added by late events', all.corrected, 'rows/10 s'),
      apart(`rows a slide step, in order, at 1/${CALM} of the events`, calm.inOrder, 'rows/10 s'),
      apart('… added by late events', calm.corrected, 'rows/10 s'),
      apart('heap a person, presence', all.bytesPerPerson, 'B'),
    ],
    checks: [all, calm, narrow, wide].map(({ checked }) => checked),
    surroundings,
  };
}

interface Measured {
  /** Events per CPU-second after the start. */
  readonly rate: number;
  /** CPU µs an event, over the same stretch. */
  readonly recording: number;
  readonly applying: number;
  readonly taking: number;
  /** Rows per `STEP_MS`. */
  readonly inOrder: number;
  readonly corrected: number;
  readonly bytesPerPerson: number;
  readonly checked: string;
}

function measure(load: EngineLoad, specs: readonly WindowSpec[]): Measured {
  collectGarbage();
  const { heapUsed } = process.memoryUsage();
  const engine = new EngineFold(load, specs);
  engine.join();
  const table = new RowTable();
  const cpu = { recording: 0, applying: 0, taking: 0 };
  const rows = { inOrder: 0, corrected: 0, steps: 0 };
  const events = load.arrivals.length;
  const steadyFrom = Math.floor((events * STEADY_FROM) / BATCH_EVENTS) * BATCH_EVENTS;
  let stepAt = load.from + STEP_MS;
  for (let from = 0; from < events; from += BATCH_EVENTS) {
    const timed = (stage: keyof typeof cpu, work: () => void): void => {
      const before = process.cpuUsage();
      work();
      if (from >= steadyFrom) cpu[stage] += cpuSeconds(before);
    };
    const to = Math.min(events, from + BATCH_EVENTS);
    timed('recording', () => {
      engine.record(from, to);
    });
    timed('applying', () => {
      engine.join();
    });
    const reached = load.arrivals[to - 1] ?? 0;
    if (reached < stepAt && to < events) continue;
    while (stepAt <= reached) stepAt += STEP_MS;
    let taken: readonly WindowRow[] = [];
    let corrections: readonly WindowRow[] = [];
    timed('taking', () => {
      taken = engine.figures.takeRows().rows;
      corrections = engine.figures.takeCorrections();
    });
    table.write(taken);
    table.write(corrections);
    if (from < steadyFrom) continue;
    rows.inOrder += taken.length;
    rows.corrected += corrections.length;
    rows.steps += 1;
  }
  collectGarbage();
  const kept = process.memoryUsage().heapUsed - heapUsed;
  const share = 1e6 / (events - steadyFrom);
  return {
    rate: (events - steadyFrom) / (cpu.recording + cpu.applying + cpu.taking),
    recording: cpu.recording * share,
    applying: cpu.applying * share,
    taking: cpu.taking * share,
    inOrder: rows.inOrder / rows.steps,
    corrected: rows.corrected / rows.steps,
    bytesPerPerson: kept / engine.persons,
    checked: table.check(load, specs),
  };
}
