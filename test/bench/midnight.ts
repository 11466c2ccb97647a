/** A midnight at which every person of a partition falls at once: for how long the process that owns it stands still. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { defaultRules, type LogEntry } from '#domain';
import { TOPICS, type BatchControl, type RelationshipWorker } from '#pipeline';
// The lib's index is for jest alone.
import { batchesOf, commitAll, feed, PipelineWorld } from '../../libs/testing/pipeline-world.js';
import { epochRaised, join, pay, rulesSet, tick } from '../../libs/testing/touchpoint-kit.js';
import { personsOf, type BenchOptions } from './bench-options.js';
import type { BenchResult, Measure } from './bench-report.js';
import { collectGarbage } from './collect-garbage.js';
import { cpuSeconds, MachineWatch } from './machine.js';
import { spanOf, standstill } from './spans.js';
import { assertTruth } from './truth.js';

const PERSONS = 1_000_000;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** All buy on this day of Shanghai; after 30 days it leaves the rolling period, and on the same midnight the month ends. */
const BOUGHT = Date.UTC(2026, 9, 1, 16);
const MIDNIGHT = BOUGHT + 30 * DAY;
const SCHEMES = 2;
const BATCH_RECORDS = 5_000;
/** After so long without a heartbeat a member of a Kafka group is taken for dead, ms. */
const SESSION_MS = 10_000;

export async function midnight(options: BenchOptions): Promise<BenchResult> {
  const persons = personsOf(options, PERSONS);
  const world = await PipelineWorld.open();
  const watch = new MachineWatch();
  const before = process.cpuUsage();
  try {
    await history(world, persons);
    await commitAll(world);
    let readTo = MIDNIGHT - 1;
    let facts = 0;
    const worker = world.worker(
      {
        ...{ now: Date.now, cachedStatesMax: persons, progress: { readTo: () => readTo } },
        sink: { write: () => Promise.resolve() },
      },
      {},
      { batch: (_, report) => (facts += report.facts) },
    );
    await feed(world.log, worker, world.input(), () => BATCH_RECORDS);
    assertTruth('tier changes before', await world.end(TOPICS.tierChanges), 0);
    collectGarbage();
    readTo = MIDNIGHT;
    facts = 0;
    const beats = new Beats();
    let took = { wall: 0, cpu: 0 };
    const standstillMs = await standstill(async () => {
      took = await spanOf(() => untilNobodyIsDue(world, worker, beats));
    });
    assertTruth('tier changes', facts, SCHEMES * persons);
    assertTruth('tier changes in the log', await world.end(TOPICS.tierChanges), SCHEMES * persons);
    await worker.revoked(world.input());
    return {
      part: 'midnight',
      settings: { persons, 'tier changes': SCHEMES * persons, ticks: beats.ticks },
      measures: [
        plain('until nobody is due', 's', took.wall),
        plain('until nobody is due', 'CPU-s', took.cpu),
        {
          ...plain('longest time between two heartbeats', 'ms', beats.longestMs),
          target: { atMost: SESSION_MS },
        },
        { ...plain('longest standstill of the process', 'ms', standstillMs), target: { atMost: SESSION_MS } },
      ],
      checks: [`${SCHEMES * persons} tier changes, each once`],
      surroundings: watch.end(cpuSeconds(before)),
    };
  } finally {
    await world.close();
  }
}

function plain(what: string, unit: string, value: number): Measure {
  return { what, unit, value, floor: null };
}

/** Members who buy once, all on one day; then time passes, hour by hour, to the eve of the midnight. */
async function history(world: PipelineWorld, persons: number): Promise<void> {
  await world.lay([epochRaised(), rulesSet(defaultRules({ fineRowsFrom: MIDNIGHT }))]);
  let entries: LogEntry[] = [];
  for (let nth = 0; nth < persons; nth += 1) {
    const at = BOUGHT + Math.floor((nth * 20 * HOUR) / persons);
    const head = { person: `person-${nth}`, channel: nth % 3 === 0 ? 'live' : 'shop' };
    entries.push(join(at, head), pay(`o-${nth}`, at + 1_000, head));
    if (entries.length < BATCH_RECORDS) continue;
    await world.lay(entries);
    entries = [];
  }
  for (let at = BOUGHT + DAY; at < MIDNIGHT; at += HOUR) entries.push(tick(at));
  await world.lay([...entries, tick(MIDNIGHT - 1)]);
}

/** As a consumer does: the worker appends ticks, and is given what it has appended. */
async function untilNobodyIsDue(
  world: PipelineWorld,
  worker: RelationshipWorker,
  beats: Beats,
): Promise<void> {
  const [state] = worker.states();
  if (state === undefined) throw new Error('the partition is not held');
  beats.begin();
  while (state.frame.watermark < MIDNIGHT || state.moreDue) {
    await worker.maintainAll();
    for await (const batch of batchesOf(world.log, world.input(), state.position, () => BATCH_RECORDS)) {
      beats.ticks += batch.records.length;
      await worker.batch(batch, beats);
      await nextTurn();
    }
  }
  await beats.heartbeat();
}

/** When heartbeats are asked for. */
class Beats implements BatchControl {
  ticks = 0;
  longestMs = 0;
  private lastAt = 0;

  begin(): void {
    this.lastAt = performance.now();
  }

  heartbeat(): Promise<void> {
    const now = performance.now();
    this.longestMs = Math.max(this.longestMs, now - this.lastAt);
    this.lastAt = now;
    return Promise.resolve();
  }

  isStale(): boolean {
    return false;
  }
}
