/** A rebuild beside a live fold, and the moment in which it takes over. PIPELINE_SEED repeats a run, PIPELINE_RUNS makes more. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { defaultRules, FOLD_VERSION, type LogEntry, type TierChanged } from '#domain';
import { LmdbStateStore } from '#state-store';
import {
  epochRaised,
  feed,
  feedFrom,
  join,
  MemorySnapshotStore,
  PATIENT,
  pay,
  PipelineWorld,
  rulesSet,
  TempDir,
  tick,
} from '#testing';
import { arrivals, LOG_RULES, personLog, type PersonLog } from '../testing/arbitrary-log.js';
import { figureRows, storedStates } from '../testing/world-outcome.js';
import { ForeignLogError } from './log-identity.js';
import { CommitUnknownError, OwnershipLostError, type Log, type TransactionalWriter } from './log.js';
import { openPartition } from './open-partition.js';
import { PublishedTiers } from './published-tiers.js';
import { RebuiltPartition } from './rebuilt-partition.js';
import { DEFAULT_RELATIONSHIP_SETTINGS } from './relationship-settings.js';
import { putSnapshot } from './snapshot-taker.js';
import { switchGeneration, type SwitchPorts } from './switch-generation.js';
import { TierDifferences } from './tier-differences.js';
import { TOPICS } from './topics.js';

const HOUR = 3_600_000;
const AS = { generation: 2, epoch: 2 };
const SECOND_EPOCH = 2n * 2n ** 48n;
const HISTORY: readonly LogEntry[] = [
  epochRaised(),
  rulesSet(defaultRules()),
  join('2024-11-10 10:00', { brand: 'b', person: 'p1' }),
  tick('2024-11-10 10:01'),
];
const seed = process.env['PIPELINE_SEED'];
const runs = (usual: number) => ({
  numRuns: Number(process.env['PIPELINE_RUNS'] ?? usual),
  ...(seed === undefined ? {} : { seed: Number(seed) }),
});

/** A world whose log is rebuilt beside its live fold. */
class Rebuilding {
  readonly snapshots = new MemorySnapshotStore();
  readonly ports: SwitchPorts;
  readonly published: PublishedTiers;
  #store: LmdbStateStore;

  private constructor(
    readonly world: PipelineWorld,
    private readonly dir: TempDir,
  ) {
    this.#store = LmdbStateStore.open({ path: dir.path });
    this.ports = {
      ...world.ports(),
      store: this.#store,
      settings: { ...DEFAULT_RELATIONSHIP_SETTINGS, checkpointIntervalMs: 0, catchUpFlushIntervalMs: 0 },
    };
    this.published = new PublishedTiers(world.log, world.codecs.tiers, 1);
  }

  static async open(): Promise<Rebuilding> {
    return new Rebuilding(await PipelineWorld.open(), new TempDir('rebuild'));
  }

  rebuilt(): Promise<RebuiltPartition> {
    return RebuiltPartition.open(this.world.input(), AS, this.ports);
  }

  /** Builds up to what is committed, and compares it. */
  async build(rebuilt: RebuiltPartition): Promise<TierDifferences> {
    const committed = await this.world.log.committed(this.ports.group, this.world.input());
    await rebuilt.foldTo(committed ?? 0, PATIENT);
    await rebuilt.settle(PATIENT);
    await this.published.readOn();
    const differences = new TierDifferences(rebuilt, this.published, 1);
    await differences.compareAll(() => Promise.resolve());
    return differences;
  }

  switchOver(rebuilt: RebuiltPartition, differences: TierDifferences, log: Log = this.world.log) {
    const { published } = this;
    return switchGeneration(rebuilt, AS, { published, differences }, { ...this.ports, log }, PATIENT);
  }

  async snapshot(rebuilt: RebuiltPartition): Promise<void> {
    await putSnapshot(this.snapshots, { partition: 0, freeze: () => rebuilt.freeze() }, 1);
  }

  async close(): Promise<void> {
    this.#store.close();
    await this.world.close();
    this.dir.remove();
  }
}

/** Rows of a generation, as if it were the first. */
function rowsOf({ sink }: PipelineWorld, generation: number): readonly string[] {
  const field = `"generation":${generation},`;
  return figureRows(sink)
    .filter((row) => row.includes(field))
    .map((row) => row.replace(field, '"generation":1,'))
    .sort();
}

/** Without what depends on where a record stands in the log. */
function contents(facts: readonly TierChanged[]): readonly object[] {
  return facts.map(({ version: _, ...fact }) => fact);
}

const DRAINING = { drainMs: 1_000, flushIntervalMs: 0, checkpointIntervalMs: 0 };

interface Ended {
  readonly facts: readonly object[];
  readonly rows: readonly string[];
  readonly states: ReadonlyMap<string, string>;
}

async function undisturbed(entries: readonly LogEntry[]): Promise<Ended> {
  const world = await PipelineWorld.open();
  try {
    await world.lay([epochRaised(), rulesSet(LOG_RULES), ...entries]);
    const worker = world.worker({}, DRAINING);
    await feed(world.log, worker, world.input());
    await worker.revoked(world.input());
    return {
      facts: contents(await world.facts()),
      rows: rowsOf(world, 1),
      states: storedStates(world.store, 0),
    };
  } finally {
    await world.close();
  }
}

interface Cuts {
  /** Of the entries: folded live before the rebuild begins, while it runs, between its comparison and the switch. */
  readonly before: number;
  readonly meanwhile: number;
  readonly last: number;
  readonly hasSnapshot: boolean;
  readonly isResumed: boolean;
}

async function rebuiltUnderWay(entries: readonly LogEntry[], cuts: Cuts): Promise<Ended> {
  const scene = await Rebuilding.open();
  const { world } = scene;
  const input = world.input();
  const at = (share: number) => Math.floor(entries.length * share);
  try {
    const live = world.worker({}, DRAINING);
    await world.lay([epochRaised(), rulesSet(LOG_RULES), ...entries.slice(0, at(cuts.before))]);
    await feed(world.log, live, input);
    let rebuilt = await scene.rebuilt();
    await scene.build(rebuilt);
    await world.lay(entries.slice(at(cuts.before), at(cuts.meanwhile)));
    await feedFrom(world.log, live, input, live.states()[0]?.position ?? 0);
    if (cuts.isResumed) {
      rebuilt.close();
      rebuilt = await scene.rebuilt();
    }
    const differences = await scene.build(rebuilt);
    expect(differences.all()).toEqual([]);
    if (cuts.hasSnapshot) await scene.snapshot(rebuilt);
    await world.lay(entries.slice(at(cuts.meanwhile), at(cuts.last)));
    await feedFrom(world.log, live, input, live.states()[0]?.position ?? 0);
    // Some of what is in the log has not been folded when the generation ends.
    await world.lay(entries.slice(at(cuts.last), at((cuts.last + 1) / 2)));
    expect((await scene.switchOver(rebuilt, differences)).restated).toBe(0);
    rebuilt.close();
    await expect(feedFrom(world.log, live, input, live.states()[0]?.position ?? 0)).rejects.toThrow(
      OwnershipLostError,
    );
    await live.revoked(input);
    await world.lay(entries.slice(at((cuts.last + 1) / 2)));
    const next = world.worker({ snapshots: cuts.hasSnapshot ? scene.snapshots : null }, DRAINING);
    await feed(world.log, next, input);
    expect(next.states()[0]?.frame).toMatchObject(AS);
    await next.revoked(input);
    return {
      facts: contents(await world.facts()),
      rows: rowsOf(world, 2),
      states: storedStates(world.store, 0),
    };
  } finally {
    await scene.close();
  }
}

const share = fc.double({ min: 0, max: 1, noNaN: true });
const cuts: fc.Arbitrary<Cuts> = fc
  .tuple(share, share, share, fc.boolean(), fc.boolean())
  .map(([a, b, c, hasSnapshot, isResumed]) => {
    const [before = 0, meanwhile = 0, last = 0] = [a, b, c].sort((x, y) => x - y);
    return { before, meanwhile, last, hasSnapshot, isResumed };
  });

describe('switching to a rebuilt generation', () => {
  it('publishes every change once, and ends with the states and rows of one fold', async () => {
    await fc.assert(
      fc.asyncProperty(personLog(2 * HOUR), cuts, async (log: PersonLog, where: Cuts) => {
        const entries = arrivals(log, 0);
        expect(await rebuiltUnderWay(entries, where)).toEqual(await undisturbed(entries));
      }),
      runs(15),
    );
  }, 120_000);
});

describe('what a switch says and guards', () => {
  let scene: Rebuilding;
  beforeEach(async () => {
    scene = await Rebuilding.open();
    await scene.world.lay(HISTORY);
    await scene.world.foldAll();
  });
  afterEach(() => scene.close());

  async function built(): Promise<[RebuiltPartition, TierDifferences]> {
    const rebuilt = await scene.rebuilt();
    return [rebuilt, await scene.build(rebuilt)];
  }
  const open = (snapshots: MemorySnapshotStore | null = null) =>
    openPartition(scene.world.input(), scene.world.ports({ snapshots }));

  it('tells subscribers once what they were told wrongly, and nothing else', async () => {
    const { world } = scene;
    const [known] = (await world.tiers()).values();
    if (known === undefined) throw new Error('no tier was published');
    const wrong = { ...known, tier: 4 } as const;
    const stranger = { ...known, person: 'nobody', tier: 3 } as const;
    await world.log.append(
      [wrong, stranger].map((one) => ({
        topic: TOPICS.tiers,
        partition: 0,
        ...world.codecs.tiers.encode(one),
      })),
    );
    const before = (await world.facts()).length;
    const [rebuilt, differences] = await built();
    expect(differences.all()).toEqual([
      { brand: 'b', person: 'p1', schemeId: known.schemeId, published: 4, rebuilt: 2 },
      { brand: 'b', person: 'nobody', schemeId: known.schemeId, published: 3, rebuilt: 0 },
    ]);
    const { position, restated } = await scene.switchOver(rebuilt, differences);
    expect({ position, restated }).toEqual({ position: HISTORY.length, restated: 2 });
    rebuilt.close();
    const told = (await world.facts()).slice(before);
    expect(told).toMatchObject([
      { person: 'p1', from: 4, to: 2, direction: 'DOWN', cause: 'RESTATE', causeEventId: null },
      { person: 'nobody', from: 3, to: 0, direction: 'DOWN', cause: 'RESTATE', causeEventId: null },
    ]);
    // Ahead of everything that was published before, behind everything that will be.
    expect(told.map(({ version }) => version)).toEqual([SECOND_EPOCH + 3n, SECOND_EPOCH + 3n]);
    expect([...(await world.tiers()).values()].filter(({ tier }) => tier !== 2)).toMatchObject([
      { person: 'nobody', tier: 0 },
    ]);
    await world.lay([pay('o1', '2024-11-10 11:00', { brand: 'b', person: 'p1' })]);
    await world.foldAll();
    const after = (await world.facts()).slice(before + 2);
    expect(after.map(({ person, from, to, cause }) => [person, from, to, cause])).toEqual(
      after.map(() => ['p1', 2, 3, 'EVENT']),
    );
    expect(after.every(({ version }) => version > SECOND_EPOCH + 3n)).toBe(true);
  });

  it('does not begin a generation whose switch was never committed', async () => {
    const [rebuilt] = await built();
    await scene.snapshot(rebuilt);
    rebuilt.close();
    scene.world.loseDisk();
    const { state, origin } = await open(scene.snapshots);
    expect(origin.refused).toMatchObject([{ reason: expect.stringContaining('has not begun') }]);
    expect(state.frame.generation).toBe(0);
    state.close();
  });

  it('gives a store of the ended generation up, and folds as the new one from the start', async () => {
    const [rebuilt, differences] = await built();
    await scene.switchOver(rebuilt, differences);
    rebuilt.close();
    const { state } = await open();
    expect(state).toMatchObject({ position: 0, mutedTo: HISTORY.length, frame: AS });
    state.close();
  });

  it('passes a snapshot of the ended generation over', async () => {
    const store = scene.world.store.open(0);
    await putSnapshot(scene.snapshots, { partition: 0, freeze: () => store.freeze() }, 1);
    store.close();
    const [rebuilt, differences] = await built();
    await scene.switchOver(rebuilt, differences);
    rebuilt.close();
    const { state, origin } = await open(scene.snapshots);
    expect(origin.refused).toMatchObject([{ reason: 'is of generation 1, but generation 2 has begun' }]);
    expect(state.position).toBe(0);
    state.close();
  });

  it('refuses a generation that another version of the fold has built', async () => {
    const { world } = scene;
    const begun = {
      ...AS,
      logId: 'log',
      partition: 0,
      position: 4,
      foldVersion: FOLD_VERSION + 1,
      beganAt: 1,
    };
    await world.log.append([
      { topic: TOPICS.logGenerations, partition: 0, ...world.codecs.generations.encode(begun) },
    ]);
    await expect(open()).rejects.toThrow(
      `generation 2, which version ${FOLD_VERSION + 1} of the fold has built`,
    );
    await expect(open()).rejects.toThrow(ForeignLogError);
  });

  it('never lets a state go on over the beginning of a generation that it is not of', async () => {
    const { world } = scene;
    const worker = world.worker();
    await worker.assigned(world.input());
    await world.lay([{ type: 'epochRaised', ...AS, logId: 'log', arrivedAt: 9 }]);
    const going = feedFrom(world.log, worker, world.input(), HISTORY.length);
    await expect(going).rejects.toThrow('generation 2 of partition 0 begins at offset 4');
    await expect(going).rejects.toThrow(OwnershipLostError);
  });

  it('begins again when the live fold comes back in the middle of it', async () => {
    const { world } = scene;
    const [rebuilt, differences] = await built();
    let rivals = 3;
    const log = withWriters(world.log, async (writer) => {
      if (rivals-- > 0) await (await world.log.writer(scene.ports.group, world.input())).close();
      return writer;
    });
    expect(await scene.switchOver(rebuilt, differences, log)).toEqual({ position: 4, restated: 0 });
    expect(rivals).toBeLessThan(0);
    rebuilt.close();
    expect((await world.entries()).filter(({ type }) => type === 'epochRaised')).toHaveLength(2);
  });

  it.each([true, false])(
    'finds out what became of a commit without an answer (gone through: %s)',
    async (isThrough) => {
      const { world } = scene;
      const [rebuilt, differences] = await built();
      let commits = 0;
      const log = withWriters(world.log, (writer) => ({
        close: () => writer.close(),
        commit: async (transaction) => {
          commits += 1;
          if (commits === 1 && !isThrough) throw new CommitUnknownError('no answer');
          const receipt = await writer.commit(transaction);
          if (commits === 1) throw new CommitUnknownError('no answer');
          return receipt;
        },
      }));
      await scene.switchOver(rebuilt, differences, log);
      rebuilt.close();
      expect(commits).toBe(isThrough ? 1 : 2);
      expect((await world.entries()).filter(({ type }) => type === 'epochRaised')).toHaveLength(2);
    },
  );
});

function withWriters(
  log: Log,
  wrap: (writer: TransactionalWriter) => TransactionalWriter | Promise<TransactionalWriter>,
): Log {
  const writer: Log['writer'] = async (group, input) => wrap(await log.writer(group, input));
  return new Proxy(log, {
    get: (target, name, receiver): unknown => {
      if (name === 'writer') return writer;
      const found: unknown = Reflect.get(target, name, receiver);
      return typeof found === 'function' ? found.bind(target) : found;
    },
  });
}
