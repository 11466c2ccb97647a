/** A log of other partitions says the same. REPARTITION_SEED repeats a run, REPARTITION_RUNS makes more. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { dueEdges, personKey, personSummaries, type LogEntry, type Touchpoint } from '#domain';
import { epochRaised, FoldHarness, rulesSet, tick } from '#testing';
import { arrivals, LOG_RULES, personLog } from '../testing/arbitrary-log.js';
import { mergePartitions, type Merged, type MergeEntry } from './merge-partitions.js';
import { partitionOf } from './partition.js';

const HOUR = 3_600_000;
const RULES = {
  ...LOG_RULES,
  windows: [
    { id: '6h', widthMs: 6 * HOUR, slideMs: HOUR, latenessMs: HOUR },
    { id: '2d', widthMs: 48 * HOUR, slideMs: 6 * HOUR, latenessMs: 24 * HOUR },
  ],
};
const OTHER_RULES = { ...RULES, schemes: RULES.schemes.slice(1) };
const seed = process.env['REPARTITION_SEED'];
const runs = {
  numRuns: Number(process.env['REPARTITION_RUNS'] ?? 12),
  endOnFailure: true,
  ...(seed === undefined ? {} : { seed: Number(seed) }),
};

type Partitions = readonly LogEntry[][];

function isTouchpoint(entry: LogEntry): entry is Touchpoint {
  return !['tick', 'rulesSet', 'epochRaised', 'credit'].includes(entry.type);
}

function emptyPartitions(count: number): LogEntry[][] {
  return Array.from({ length: count }, () => []);
}

/** Puts entries into partitions; control records into each. */
function lay(entries: readonly LogEntry[], partitions: LogEntry[][]): void {
  for (const entry of entries) {
    if (!isTouchpoint(entry)) for (const one of partitions) one.push(entry);
    else partitions[partitionOf(personKey(entry.brand, entry.person), partitions.length)]?.push(entry);
  }
}

/**
 * The same where each owner writes its ticks in its own time: some come after records that another partition's tick
 * of that time is before, and what is no edge may be missing. At the end all have got as far as the edges.
 */
function layUnevenly(entries: readonly LogEntry[], count: number, whims: readonly number[]): LogEntry[][] {
  const partitions = emptyPartitions(count);
  const held: LogEntry[][] = partitions.map(() => []);
  let nth = 0;
  const whim = (): number => whims[nth++ % whims.length] ?? 0;
  const edges = new Set(
    dueEdges(
      RULES,
      0,
      entries.reduce((last, entry) => Math.max(last, instantOf(entry)), 0),
    ),
  );
  let isFirst = true;
  for (const entry of entries) {
    if (entry.type !== 'tick') {
      if (!isTouchpoint(entry)) for (const waiting of held.keys()) release(partitions, held, waiting);
      lay([entry], partitions);
      continue;
    }
    for (const partition of partitions.keys()) {
      const what = whim();
      if (what === 0 && !isFirst && !edges.has(entry.at)) continue;
      held[partition]?.push(entry);
      if (what < 3 || isFirst) release(partitions, held, partition);
    }
    isFirst = false;
  }
  for (const partition of partitions.keys()) release(partitions, held, partition);
  return partitions;
}

function instantOf(entry: LogEntry): number {
  return 'at' in entry ? entry.at : 0;
}

function release(partitions: readonly LogEntry[][], held: LogEntry[][], partition: number): void {
  partitions[partition]?.push(...(held[partition] ?? []));
  held[partition] = [];
}

async function merged(old: Partitions, count: number, cut: number): Promise<LogEntry[][]> {
  const known: LogEntry[] = [];
  async function* batches(entries: readonly LogEntry[]): AsyncGenerator<readonly MergeEntry[]> {
    for (let from = 0; from < entries.length; from += cut) {
      await Promise.resolve();
      yield entries.slice(from, from + cut).map((entry) => {
        const value = Buffer.alloc(4);
        value.writeUInt32LE(known.push(entry) - 1);
        return { entry, value };
      });
    }
  }
  const fresh = emptyPartitions(count);
  for await (const one of mergePartitions(old.map(batches))) placed(one, fresh, known);
  return fresh;
}

function placed(one: Merged, fresh: LogEntry[][], known: readonly LogEntry[]): void {
  if (one.type === 'control') {
    for (const partition of fresh) partition.push(one.entry);
    return;
  }
  const entry = known[one.value.readUInt32LE(0)];
  if (entry !== undefined) fresh[partitionOf(one.key, fresh.length)]?.push(entry);
}

/** The folds of a log's partitions, as their owners would have them. */
class Folded {
  readonly harnesses: readonly FoldHarness[];

  constructor(partitions: Partitions, generation: number) {
    this.harnesses = partitions.map((entries) => {
      const harness = new FoldHarness(null);
      harness.fold([epochRaised(generation, generation), rulesSet(RULES)]);
      harness.fold(entries);
      return harness;
    });
  }

  /** Folds what comes next, and says what is published for it. */
  next(entries: readonly LogEntry[]): readonly string[] {
    const before = this.harnesses.map(({ facts }) => facts.length);
    const partitions = emptyPartitions(this.harnesses.length);
    lay(entries, partitions);
    return this.harnesses
      .flatMap((harness, partition) => {
        for (const entry of partitions[partition] ?? []) harness.fold([entry]);
        return harness.facts.slice(before[partition]);
      })
      .map((fact) => JSON.stringify({ ...fact, version: null }))
      .sort();
  }

  persons(): ReadonlyMap<string, unknown> {
    const all = this.harnesses.flatMap(({ states, frame }) =>
      [...states].map(([key, state]): [string, unknown] => [
        key,
        personSummaries(state, RULES, frame.watermark),
      ]),
    );
    return new Map(all.sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  /** Sums over the partitions; what is nought says nothing. */
  sums(): ReadonlyMap<string, number> {
    const sums = new Map<string, number>();
    for (const { figures } of this.harnesses) {
      // An end that is open gets a row when somebody moved it last, which depends on who else is there.
      const rows = figures.takeWindowRows(true);
      for (const row of rows) if (row.status !== 'provisional') add(sums, row);
      for (const { tiers, ...row } of figures.periodRows()) add(sums, { ...row, ...tiers });
    }
    return new Map([...sums].filter(([, sum]) => sum !== 0).sort(([a], [b]) => (a < b ? -1 : 1)));
  }
}

function add(sums: Map<string, number>, row: object): void {
  const { end, watermark: _, status: __, ...rest } = { end: null, watermark: 0, status: '', ...row };
  const names = Object.values(rest).filter((value) => typeof value === 'string');
  for (const [figure, value] of Object.entries(rest)) {
    if (typeof value !== 'number') continue;
    const key = [...names, end, figure].join(' ');
    sums.set(key, (sums.get(key) ?? 0) + value);
  }
}

/** Several persons' logs beside each other. */
const manyPersons = (lateness: number) =>
  fc.array(personLog(lateness), { minLength: 1, maxLength: 3 }).map((logs) => ({
    arriving: logs.flatMap(({ arriving }, nth) =>
      arriving.map((one) => ({ ...one, event: { ...one.event, person: `${one.event.person}-${nth}` } })),
    ),
    end: Math.max(...logs.map(({ end }) => end)),
  }));

const shape = fc.constantFrom(
  { from: 2, to: 3 },
  { from: 4, to: 1 },
  { from: 1, to: 4 },
  { from: 3, to: 5 },
  { from: 6, to: 2 },
);

describe('a log of other partitions', () => {
  it('folds to the same persons and figures, and publishes the same for what comes next', async () => {
    await fc.assert(
      fc.asyncProperty(
        manyPersons(4 * 24 * HOUR),
        shape,
        fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 30 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.integer({ min: 1, max: 50 }),
        fc.boolean(),
        async (log, { from, to }, whims, where, cut, withNewRules) => {
          const all = [...arrivals(log, 0, RULES)];
          if (withNewRules) all.splice(Math.floor(all.length / 3), 0, rulesSet(OTHER_RULES));
          const half = Math.floor(all.length * where);
          // Nobody has looked at anybody since new rules: they have to have been followed by a tick.
          fc.pre(
            !withNewRules ||
              all.slice(Math.floor(all.length / 3), half).some(({ type }) => type === 'tick') ||
              half <= Math.floor(all.length / 3),
          );
          const old = layUnevenly(all.slice(0, half), from, whims);
          const before = new Folded(old, 1);
          const after = new Folded(await merged(old, to, cut), 2);
          const until = log.end + 25 * HOUR;
          const last = [...dueEdges(RULES, until - HOUR, until), until].map((at) => tick(at));
          const next = [...all.slice(half), ...last];
          expect(after.next(next)).toEqual(before.next(next));
          expect(after.persons()).toEqual(before.persons());
          expect(after.sums()).toEqual(before.sums());
        },
      ),
      runs,
    );
  }, 900_000);
});
