/** From assignment to processing again: a partition with very many persons, on its own disk and from a snapshot. */
import { defaultRules, type LogEntry } from '#domain';
import { SnapshotDirectory } from '#state-store';
import {
  DEFAULT_RELATIONSHIP_SETTINGS,
  snapshotBytes,
  snapshotEntries,
  SnapshotTaker,
  type RelationshipObserver,
  type RelationshipWorker,
  type SnapshotManifest,
} from '#pipeline';
// The lib's index is for jest alone.
import { commitAll, feed, feedFrom, PATIENT, PipelineWorld } from '../../libs/testing/pipeline-world.js';
import { TempDir } from '../../libs/testing/temp-dir.js';
import { epochRaised, join, pay, rulesSet, tick, visit } from '../../libs/testing/touchpoint-kit.js';
import { SeededRandom } from '../../apps/simulator/night/seeded-random.js';
import { personsOf, type BenchOptions } from './bench-options.js';
import type { BenchResult, Measure } from './bench-report.js';
import { collectGarbage } from './collect-garbage.js';
import { cpuSeconds, MachineWatch } from './machine.js';
import { spanOf, standstill, type Span } from './spans.js';

const PERSONS = 1_000_000;
/** What comes to one partition of eight at 5,000 events/s. */
const EVENTS_PER_SECOND = 625;
/**
 * What the default intervals of snapshots and checkpoints leave to be folded again at most. A snapshot is of the last
 * checkpoint, and does not count before it is written.
 */
const SINCE_CHECKPOINT_MS = DEFAULT_RELATIONSHIP_SETTINGS.checkpointIntervalMs;
const SINCE_SNAPSHOT_MS =
  Math.min(
    DEFAULT_RELATIONSHIP_SETTINGS.snapshotIntervalMs,
    (DEFAULT_RELATIONSHIP_SETTINGS.snapshotRecordsMax / EVENTS_PER_SECOND) * 1_000,
  ) + SINCE_CHECKPOINT_MS;
const TICK_MS = 10_000;
const DAY = 86_400_000;
const HISTORY_DAYS = 25;
const FROM = Date.UTC(2026, 9, 15);
const NIGHT = FROM + HISTORY_DAYS * DAY;
const EVENING = NIGHT - 1;
const BATCH_RECORDS = 5_000;
const BRANDS = 5;
const PAYING_SHARE = 0.5;
const SAME_DISK_MAX_S = 5;
const SNAPSHOT_MAX_S = 30;

interface Recovery {
  readonly assigned: Span;
  readonly tail: Span;
  readonly firstBatch: Span;
  readonly stallMs: number;
  /** Of the tail, by the clock, s. */
  readonly foldS: number;
  readonly checkpointS: number;
  readonly checkpoints: number;
}

export async function recovery(options: BenchOptions): Promise<BenchResult> {
  const persons = personsOf(options, PERSONS);
  const place = new TempDir('bench-snapshots');
  const world = await PipelineWorld.open();
  const watch = new MachineWatch();
  const before = process.cpuUsage();
  try {
    const random = new SeededRandom(options.seed);
    const snapshots = new SnapshotDirectory(place.path);
    const worker = await foldedHistory(world, persons, random);
    const taken = await takeSnapshot(worker, snapshots);
    const stateBytes = snapshotBytes(taken.manifest) / persons;
    await world.lay(night(0, SINCE_SNAPSHOT_MS - SINCE_CHECKPOINT_MS, persons, random));
    await feedFrom(world.log, worker, world.input(), worker.states()[0]?.position ?? 0, () => BATCH_RECORDS);
    await worker.revoked(world.input());
    await world.lay(night(SINCE_SNAPSHOT_MS - SINCE_CHECKPOINT_MS, SINCE_SNAPSHOT_MS, persons, random));
    await commitAll(world);
    collectGarbage();
    const disk = await recover(world, () => world.reopenStore(), null);
    await commitAll(world);
    collectGarbage();
    const elsewhere = await recover(world, () => world.loseDisk(), snapshots);
    const read = await spanOf(async () => {
      const entries = snapshotEntries(taken.manifest, snapshots);
      while ((await entries.next()).done !== true);
    });
    const surroundings = watch.end(cpuSeconds(before));
    return {
      part: 'recovery',
      settings: {
        ...{ persons, seed: options.seed, 'bytes a person': stateBytes, 'events/s': EVENTS_PER_SECOND },
        'records since the snapshot': (SINCE_SNAPSHOT_MS / 1_000) * EVENTS_PER_SECOND,
        'same disk is mostly': mostly(disk),
        'from a snapshot is mostly': mostly(elsewhere),
      },
      measures: [
        ...totals('same disk', disk, SAME_DISK_MAX_S),
        apart('of it: opening the store', disk.assigned.cpu),
        apart(`of it: the ${SINCE_CHECKPOINT_MS / 1_000} s since its checkpoint`, disk.tail.cpu),
        apart('of it: the first batch', disk.firstBatch.cpu),
        ...totals('from a snapshot', elsewhere, SNAPSHOT_MAX_S),
        apart('of it: fetching, loading, opening', elsewhere.assigned.cpu),
        apart('  reading and verifying alone', read.cpu),
        apart('of it: the records since it was taken', elsewhere.tail.cpu),
        apart('  folding, states read', elsewhere.foldS, 's'),
        apart(`  ${elsewhere.checkpoints} checkpoints`, elsewhere.checkpointS, 's'),
        apart('longest standstill while it is restored', elsewhere.stallMs, 'ms'),
        apart('taking a snapshot', taken.took.wall, 's'),
        apart('taking a snapshot', taken.took.cpu),
        apart('its size', snapshotBytes(taken.manifest) / 2 ** 20, 'MiB'),
        apart('longest standstill while it is taken', taken.stallMs, 'ms'),
      ],
      checks: [`${persons} persons in the store after both`],
      surroundings,
    };
  } finally {
    await world.close();
    place.remove();
  }
}

function totals(what: string, { assigned, tail, firstBatch }: Recovery, atMost: number): readonly Measure[] {
  const parts = [assigned, tail, firstBatch];
  const wall = parts.reduce((sum, one) => sum + one.wall, 0);
  const cpu = parts.reduce((sum, one) => sum + one.cpu, 0);
  return [
    { what: `${what}, to the first batch`, unit: 's', value: wall, floor: null, target: { atMost } },
    apart(what, cpu),
  ];
}

/** What takes longest, by the clock, and its share. */
function mostly({ assigned, tail, firstBatch, foldS, checkpointS }: Recovery): string {
  const parts = [
    ['bringing the store back', assigned.wall],
    ['folding what came since', foldS],
    ['checkpoints of what came since', checkpointS],
    ['reading and rows of what came since', tail.wall - foldS - checkpointS],
  ] as const;
  const [what, seconds] = parts.reduce((most, one) => (one[1] > most[1] ? one : most));
  return `${what} (${Math.round((100 * seconds) / (assigned.wall + tail.wall + firstBatch.wall))} %)`;
}

function apart(what: string, value: number, unit = 'CPU-s'): Measure {
  return { what, unit, value, floor: null };
}

/** Members of five brands, of whom every second one has paid. Nothing of it is published: it had been, once. */
async function foldedHistory(
  world: PipelineWorld,
  persons: number,
  random: SeededRandom,
): Promise<RelationshipWorker> {
  await world.lay([epochRaised(), rulesSet(defaultRules({ fineRowsFrom: NIGHT }))]);
  const step = (HISTORY_DAYS * DAY) / persons;
  let entries: LogEntry[] = [];
  for (let nth = 0; nth < persons; nth += 1) {
    const at = Math.floor(FROM + nth * step);
    const head = headOf(nth);
    entries.push(join(at, head));
    if (random.chance(PAYING_SHARE)) entries.push(pay(`o-${nth}`, at + 1_000, head));
    if (nth % 50_000 === 49_999) entries.push(tick(at));
    if (entries.length < BATCH_RECORDS) continue;
    await world.lay(entries);
    entries = [];
  }
  await world.lay([...entries, tick(EVENING)]);
  await commitAll(world);
  const worker = workerOf(world, null);
  await feed(world.log, worker, world.input(), () => BATCH_RECORDS);
  // As the owner of a partition does: ticks of one time until nobody is left who is due. The midnight is in the tail.
  for (let state = worker.states()[0]; state?.moreDue === true;) {
    await world.lay([tick(EVENING)]);
    await feedFrom(world.log, worker, world.input(), state.position);
  }
  // A checkpoint of all of it, as an orderly end leaves one; then it goes on.
  await worker.revoked(world.input());
  await worker.assigned(world.input());
  return worker;
}

function headOf(nth: number) {
  return {
    brand: `brand-${nth % BRANDS}`,
    person: `person-${nth}`,
    channel: nth % 3 === 0 ? 'live' : 'shop',
  };
}

/** Of the night, from one instant to another. */
function night(fromMs: number, toMs: number, persons: number, random: SeededRandom): readonly LogEntry[] {
  const entries: LogEntry[] = [];
  for (let ms = fromMs; ms < toMs; ms += 1_000 / EVENTS_PER_SECOND) {
    const at = Math.floor(NIGHT + ms);
    const nth = random.below(persons);
    const head = { ...headOf(nth), id: `${nth}@${at}` };
    entries.push(random.chance(0.2) ? pay(`n-${nth}-${at}`, at, head) : visit(at, head));
    if (ms > 0 && Math.floor(ms / TICK_MS) > Math.floor((ms - 1_000 / EVENTS_PER_SECOND) / TICK_MS)) {
      entries.push(tick(at));
    }
  }
  return entries;
}

function workerOf(
  world: PipelineWorld,
  snapshots: SnapshotDirectory | null,
  observer: Partial<RelationshipObserver> = {},
): RelationshipWorker {
  const ports = { now: Date.now, snapshots, cachedStatesMax: 500_000 };
  return world.worker({ ...ports, sink: { write: () => Promise.resolve() } }, {}, observer);
}

async function takeSnapshot(
  worker: RelationshipWorker,
  snapshots: SnapshotDirectory,
): Promise<{ readonly manifest: SnapshotManifest; readonly took: Span; readonly stallMs: number }> {
  const all: SnapshotManifest[] = [];
  const taker = new SnapshotTaker(snapshots, { everyMs: 1, recordsMax: Infinity, keep: 1 }, Date.now, {
    found: () => undefined,
    taken: (manifest) => all.push(manifest),
    failed: (_, error) => {
      throw error;
    },
  });
  let took: Span = NONE;
  const stallMs = await standstill(async () => {
    took = await spanOf(() =>
      taker.maintain({
        partition: 0,
        isHeld: true,
        position: 0,
        freeze: () => worker.states()[0]?.freeze() ?? null,
      }),
    );
  });
  const [manifest] = all;
  if (manifest === undefined) throw new Error('no snapshot was taken');
  return { manifest, took, stallMs };
}

async function recover(
  world: PipelineWorld,
  loss: () => void,
  snapshots: SnapshotDirectory | null,
): Promise<Recovery> {
  const committed = await world.end(world.input().topic);
  loss();
  let [foldMs, checkpointMs, checkpoints] = [0, 0, 0];
  const worker = workerOf(world, snapshots, {
    batch: (_, report) => (foldMs += report.foldMs),
    checkpointed: (_, durationMs) => {
      checkpointMs += durationMs;
      checkpoints += 1;
    },
  });
  let from = 0;
  let assigned: Span = NONE;
  const stallMs = await standstill(async () => {
    assigned = await spanOf(async () => {
      from = await worker.assigned(world.input());
    });
  });
  if (from === 0) throw new Error('it was folded from the start');
  const tail = await spanOf(async () => {
    await feedFrom(world.log, worker, world.input(), from, () => BATCH_RECORDS);
  });
  const parts = { foldS: foldMs / 1_000, checkpointS: checkpointMs / 1_000, checkpoints };
  if (worker.states()[0]?.position !== committed) throw new Error('the tail was not folded');
  const batch = night(SINCE_SNAPSHOT_MS, SINCE_SNAPSHOT_MS + 1_000, 1_000, new SeededRandom(1));
  await world.lay(batch);
  const end = await world.end(world.input().topic);
  const firstBatch = await spanOf(async () => {
    for await (const { records } of world.log.read(world.input(), committed, end)) {
      await worker.batch({ ...world.input(), records, nextOffset: end, endOffset: end }, PATIENT);
    }
  });
  return { assigned, tail, firstBatch, stallMs, ...parts };
}

const NONE: Span = { wall: 0, cpu: 0 };
