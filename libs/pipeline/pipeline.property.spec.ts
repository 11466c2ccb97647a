/** What has to hold of any log, through the real path: log, codecs, fold, store, rows. PIPELINE_SEED repeats a run, PIPELINE_RUNS makes more. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decodeState, personSummaries, type LogEntry, type PersonSummary, type Rules } from '#domain';
import { epochRaised, feed, feedFrom, FoldHarness, PipelineWorld, rulesSet } from '#testing';
import { arrivals, LOG_RULES, personLog, type PersonLog } from '../testing/arbitrary-log.js';
import { figureRows, storedStates, type PlainRow } from '../testing/world-outcome.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** Within the lateness of every window. */
const IN_TIME = 50 * MINUTE;
const RULES: Rules = {
  ...LOG_RULES,
  windows: [
    { id: '6h', widthMs: 6 * HOUR, slideMs: HOUR, latenessMs: HOUR },
    { id: '2d', widthMs: 48 * HOUR, slideMs: 6 * HOUR, latenessMs: 24 * HOUR },
  ],
};
const seed = process.env['PIPELINE_SEED'];
const more = process.env['PIPELINE_RUNS'];
const runs = (usual: number) => ({
  numRuns: Number(more ?? usual),
  ...(seed === undefined ? {} : { seed: Number(seed) }),
});

interface LastTier {
  readonly tier: number;
  readonly periodId: string;
}

interface Outcome {
  readonly facts: readonly unknown[];
  readonly lastTiers: ReadonlyMap<string, LastTier>;
  readonly rows: readonly PlainRow[];
  readonly states: ReadonlyMap<string, string>;
  readonly persons: readonly PersonSummary[];
}

/** @param cuts   sizes of the batches, over and over; between two of them the process is restarted now and then */
async function outcomeOf(
  entries: readonly LogEntry[],
  cuts: readonly number[],
  restarts: boolean,
): Promise<Outcome> {
  const world = await PipelineWorld.open();
  try {
    await world.lay([epochRaised(), rulesSet(RULES), ...entries]);
    let nth = 0;
    const size = () => cuts[nth++ % cuts.length] ?? 1;
    const input = world.input();
    const settings = { drainMs: 1_000, flushIntervalMs: 3, checkpointIntervalMs: 5 };
    let worker = world.worker({ now: () => (world.clock += 1) }, settings);
    if (restarts) {
      const half = Math.floor((entries.length + 2) / 2);
      const from = await worker.assigned(input);
      for await (const batch of world.log.read(input, from, half)) {
        await worker.batch(batch, { heartbeat: () => Promise.resolve(), isStale: () => false });
      }
      await worker.revoked(input);
      world.reopenStore();
      worker = world.worker({ now: () => (world.clock += 1) }, settings);
    }
    await feed(world.log, worker, input, size);
    const rules = worker.states()[0]?.frame.rules ?? RULES;
    const watermark = worker.states()[0]?.frame.watermark ?? 0;
    await feedFrom(world.log, worker, input, worker.states()[0]?.position ?? 0, size);
    await worker.revoked(input);
    const tiers = [...(await world.tiers())].map(
      ([key, { tier, periodId }]) => [key, { tier, periodId }] as const,
    );
    const states = storedStates(world.store, 0);
    const persons = [...states.values()]
      .flatMap((bytes) => personSummaries(decodeState(Buffer.from(bytes, 'latin1')), rules, watermark))
      .sort((a, b) => (`${a.person} ${a.scheme_id}` < `${b.person} ${b.scheme_id}` ? -1 : 1));
    return {
      facts: await world.facts(),
      lastTiers: new Map(tiers),
      rows: figureRows(world.sink),
      states,
      persons,
    };
  } finally {
    await world.close();
  }
}

/** With the ticks that it takes until nobody is due. */
function withAllTicks(log: readonly LogEntry[]): readonly LogEntry[] {
  const harness = new FoldHarness(null);
  harness.fold([epochRaised(), rulesSet(RULES)]);
  const entries: LogEntry[] = [];
  for (const entry of log) {
    entries.push(entry);
    while (harness.fold([entry]).moreDue) entries.push(entry);
  }
  return entries;
}

/**
 * Without tier 0: whose only link is taken back by another record of the same id has had a tier in one order of
 * arrival, and never in the other.
 */
const held = (tiers: ReadonlyMap<string, LastTier>) => new Map([...tiers].filter(([, { tier }]) => tier > 0));

const short = (log: PersonLog) => arrivals(log, 0, RULES).length < 300;

describe('a log through the whole path', () => {
  it('gives the same facts, states and rows for any batching, and over a restart', async () => {
    await fc.assert(
      fc.asyncProperty(
        personLog(IN_TIME).filter(short),
        fc.array(fc.integer({ min: 1, max: 80 }), { minLength: 1, maxLength: 7 }),
        async (log, cuts) => {
          const entries = withAllTicks(arrivals(log, 0, RULES));
          const whole = await outcomeOf(entries, [5_000], false);
          const cut = await outcomeOf(entries, cuts, false);
          expect(cut.facts).toEqual(whole.facts);
          expect(cut).toEqual(whole);
          expect(await outcomeOf(entries, cuts, true)).toEqual(whole);
        },
      ),
      runs(6),
    );
  }, 900_000);

  it('gives the same final tiers, states and figures for any order within lateness, and any repetition', async () => {
    await fc.assert(
      fc.asyncProperty(personLog(IN_TIME).filter(short), async (log) => {
        const one = await outcomeOf(arrivals(log, 0, RULES), [50], false);
        const other = await outcomeOf(arrivals(log, 1, RULES), [70], false);
        const twice: PersonLog = { ...log, arriving: [...log.arriving, ...log.arriving] };
        const again = await outcomeOf(arrivals(twice, 0, RULES), [90], false);
        for (const { lastTiers, rows, persons } of [other, again]) {
          expect(persons).toEqual(one.persons);
          expect(held(lastTiers)).toEqual(held(one.lastTiers));
          expect(rows).toEqual(one.rows);
        }
      }),
      runs(8),
    );
  }, 900_000);
});
