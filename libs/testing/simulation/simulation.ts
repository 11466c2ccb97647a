/** One run of the whole pipeline on fake ports: two or three of every app, traffic, mishaps, and then calm. */
import { topicSpecs, type Codecs } from '#contracts';
import {
  ARCHIVED_TOPICS,
  CommitAbortedError,
  CommitUnknownError,
  OwnershipLostError,
  RegistryUnavailableError,
  TOPICS,
  type TopicPartition,
} from '#pipeline';
import { Broker } from './broker.js';
import { FaultPolicy } from './fault-policy.js';
import { GroupCoordinator } from './group-coordinator.js';
import { InvariantError, KilledError, UnavailableError } from './life.js';
import { Scheduler } from './scheduler.js';
import { wholePartition } from './reference-fold.js';
import { SeededRandom } from './seeded-random.js';
import { SimulatedDisk } from './simulated-disk.js';
import { SimulatedProcess, type WorldParts } from './simulated-process.js';
import { SimulatedPlace } from './simulated-snapshots.js';
import { SimulatedTables } from './simulated-tables.js';
import { MISHAPS, planOf, type SimulationPlan } from './simulation-plan.js';
import { Traffic, TRAFFIC_TOPICS } from './traffic.js';
import { unsettled } from './unsettled.js';

const START = Date.UTC(2018, 9, 28, 1, 30);
/** Of the things that are not tasks, how many there are to a task. */
const WORLD_SHARE = 0.12;

export class Simulation {
  readonly plan: SimulationPlan;
  readonly broker: Broker;
  readonly scheduler: Scheduler;
  readonly tables = new SimulatedTables();
  readonly processes: readonly SimulatedProcess[];
  readonly snapshots: SimulatedPlace | null;
  readonly #random: SeededRandom;
  readonly #traffic: Traffic;
  readonly #groups: ReadonlyMap<string, GroupCoordinator>;
  #isConfigured = false;

  constructor(
    seed: number,
    readonly codecs: Codecs,
  ) {
    this.#random = new SeededRandom(seed);
    // Every fourth seed has outages and restless groups, from chances of their own.
    const isFourth = seed % 4 === 0;
    // As have two of five, a place for snapshots.
    const hasSnapshots = seed % 5 === 1 || seed % 5 === 2;
    this.snapshots = hasSnapshots ? new SimulatedPlace(seed) : null;
    const plan = planOf(this.#random, isFourth, hasSnapshots);
    this.plan = plan;
    const outages = isFourth ? new SeededRandom(seed * 31 + 7) : null;
    const { faultRate, killRate, endingFaultRate } = plan;
    const faults = new FaultPolicy(this.#random, faultRate, killRate, endingFaultRate, outages);
    this.scheduler = new Scheduler(this.#random, faults, START, () => undefined);
    this.broker = new Broker(() => this.scheduler.now);
    const specs = topicSpecs({ relationshipLogPartitions: plan.logPartitions, sourcePartitions: 1 });
    // Nobody rebuilds here, and a topic more to ask would make other runs of the seeds that have a name.
    this.broker.create(specs.filter(({ topic }) => topic !== TOPICS.logGenerations));
    this.#traffic = new Traffic(this.broker, codecs.sourceEncoder, this.#random, plan.events);
    this.#groups = this.#makeGroups();
    this.processes = this.#makeProcesses();
  }

  /** Until the traffic is over and everything that could go wrong has. */
  async storm(): Promise<void> {
    const { scheduler } = this;
    for (const process of this.processes) process.start();
    while (!this.#traffic.isOver) {
      if (this.#random.chance(WORLD_SHARE)) await this.#somethingHappens();
      else if (!(await scheduler.step())) await this.#somethingHappens();
    }
    for (let steps = this.#random.below(300); steps > 0; steps -= 1) {
      if (this.#random.chance(WORLD_SHARE / 2)) await this.#somethingHappens();
      else await scheduler.step();
    }
  }

  /** Everybody is there and nothing fails any more, until all is read, ticked, sent and stored. */
  async calm(): Promise<void> {
    this.scheduler.faults.isOn = false;
    this.scheduler.isCalm = true;
    for (const process of this.processes) process.life.isPaused = false;
    await this.#rounds(6, () => this.processes);
    // Intake tells no more of time from here on, so that the ticks come to an end.
    await this.#rounds(400, () => this.processes.filter(({ role }) => role !== 'intake'));
    // Longer than any interval: what has not become a row becomes one now.
    this.scheduler.now += 10 * 60_000;
    await this.#rounds(400, () => this.processes.filter(({ role }) => role !== 'intake'));
    const left = unsettled(this);
    if (left !== '') throw new InvariantError(`it does not settle: ${left}`);
  }

  /** Every process ends in good order. */
  async stop(): Promise<void> {
    for (const process of this.processes) {
      // Others may be taking over what the one before has left.
      await this.#settle();
      const { consumer, life } = process;
      let isOver = false;
      this.scheduler.post(life, `${life.name} stops`, () => {
        void consumer?.stop().finally(() => (isOver = true));
      });
      while (!isOver && (await this.scheduler.step()));
      if (!isOver)
        throw new InvariantError(`${life.name} does not stop: ${this.scheduler.waiting().join(', ')}`);
      this.scheduler.kill(life);
    }
  }

  async #rounds(most: number, who: () => readonly SimulatedProcess[]): Promise<void> {
    let before = -1;
    for (let round = 0; round < most; round += 1) {
      for (const process of this.processes) if (process.life.isDead) process.start();
      for (const group of this.#groups.values()) group.expire(({ isDead }) => isDead);
      await this.#settle();
      const open = this.broker.openIds();
      for (const id of open) this.broker.takeOver(id);
      // Long enough for a last tick: whatever the last record was, everybody has been looked at since.
      this.scheduler.now += 4_000;
      for (const process of who()) process.beat();
      await this.#settle();
      // Of many ticks a round appends some: it is over when none came any more.
      const records = this.broker.ends(TOPICS.relationshipLog).reduce((sum, { end }) => sum + end, 0);
      if (most > 10 && records === before && unsettled(this) === '') return;
      before = records;
    }
  }

  async #settle(): Promise<void> {
    while (await this.scheduler.step());
  }

  async #somethingHappens(): Promise<void> {
    const { mishaps } = this.plan;
    const ordinary: readonly (readonly [string, number])[] = [
      ['traffic', 1],
      ['beat', 8],
      ['restart', 3],
      ['resume', 1],
      ['expire', 1],
      ['configure', 0.3],
    ];
    const all = [...ordinary, ...MISHAPS.map((mishap) => [mishap, mishaps[mishap]] as const)];
    let draw = this.#random.next() * all.reduce((sum, [, weight]) => sum + weight, 0);
    const [what] = all.find(([, weight]) => (draw -= weight) < 0) ?? ['beat'];
    await this.scheduler.enter(null, () => this.#do(what));
  }

  #do(what: string): void {
    const { scheduler, broker } = this;
    const random = this.#random;
    switch (what) {
      case 'traffic':
        this.#traffic.burst(scheduler.now);
        scheduler.now += this.#traffic.pause();
        break;
      case 'beat':
        random.pick(this.processes).beat();
        break;
      case 'restart':
        for (const process of this.processes) if (process.life.isDead && random.chance(0.5)) process.start();
        break;
      case 'resume':
        for (const { life } of this.processes) if (random.chance(0.5)) life.isPaused = false;
        break;
      case 'expire':
        for (const group of this.#groups.values()) group.expire((life) => life.isDead || life.isPaused);
        break;
      case 'configure':
        this.#configure();
        break;
      case 'kill':
        scheduler.kill(random.pick(this.processes).life);
        break;
      case 'deploy':
        this.#deploy(random.pick(this.processes));
        break;
      case 'pause':
        random.pick(this.processes).life.isPaused = true;
        break;
      case 'rebalance':
        random.pick([...this.#groups.values()]).rebalance();
        break;
      case 'evict':
        random.pick([...this.#groups.values()]).evict(random.chance(0.5));
        break;
      case 'expireTransaction': {
        const open = broker.openIds();
        if (open.length > 0) broker.takeOver(random.pick(open));
        break;
      }
      case 'loseDisk': {
        const dead = this.processes.filter(({ role, life }) => role === 'relationship' && life.isDead);
        const [process] = dead;
        if (process !== undefined) what += ` ${process.nth} ${process.disk.mishap(random)}`;
        break;
      }
      case 'gnaw':
        what += ` ${this.snapshots?.gnaw() ?? 'nothing'}`;
    }
    if (what !== 'beat') scheduler.trace.note(scheduler.steps, `* ${what}`);
  }

  /** New rules, once, in every partition. */
  #configure(): void {
    const { codecs, broker, plan, scheduler } = this;
    const ends = broker.ends(TOPICS.relationshipLog);
    const isBegun = ends.every(
      ({ partition }) => wholePartition(broker, TOPICS.relationshipLog, partition).records.length > 0,
    );
    if (this.#isConfigured || plan.changedRules === null || !isBegun) return;
    this.#isConfigured = true;
    const rulesJson = JSON.stringify(plan.changedRules);
    const value = codecs.log.encode({ type: 'rulesSet', rulesJson, arrivedAt: scheduler.now });
    for (const { partition } of ends) {
      broker.append([{ topic: TOPICS.relationshipLog, partition, key: null, value }]);
    }
  }

  /** Ends in good order; somebody starts it again. */
  #deploy({ consumer, life }: SimulatedProcess): void {
    this.scheduler.post(life, `${life.name} is told to end`, () => {
      void (consumer?.stop() ?? Promise.resolve())
        .catch((error: unknown) => this.#failed(error, life.name))
        .finally(() => this.scheduler.kill(life));
    });
  }

  #makeGroups(): ReadonlyMap<string, GroupCoordinator> {
    const inputs = (topics: readonly string[]): readonly TopicPartition[] =>
      topics.flatMap((topic) => this.broker.ends(topic).map(({ partition }) => ({ topic, partition })));
    const topicsOf = {
      intake: TRAFFIC_TOPICS,
      relationship: [TOPICS.relationshipLog],
      archive: ARCHIVED_TOPICS,
    };
    return new Map(
      Object.entries(topicsOf).map(([name, topics]) => [
        name,
        new GroupCoordinator(this.scheduler, name, inputs(topics)),
      ]),
    );
  }

  #makeProcesses(): readonly SimulatedProcess[] {
    const { scheduler, broker, tables, codecs, plan } = this;
    const parts: WorldParts = {
      ...{ scheduler, broker, tables, codecs },
      groupOf: (name) => {
        const group = this.#groups.get(name);
        if (group === undefined) throw new Error(`there is no group ${name}`);
        return group;
      },
      onFailure: (error, where) => this.#failed(error, where),
      sourceTopics: TRAFFIC_TOPICS,
      partitions: {
        relationshipLog: plan.logPartitions,
        tierChanges: plan.logPartitions,
        tiers: plan.logPartitions,
        intakeProgress: 1,
        deadLetters: 1,
      },
      rules: plan.rules,
      snapshots: this.snapshots,
      settings: plan.settings,
      cachedStatesMax: plan.cachedStatesMax,
      batchRecordsMax: plan.batchRecordsMax,
    };
    return (['intake', 'relationship', 'archive'] as const).flatMap((role) =>
      Array.from(
        { length: plan.processes[role] },
        (_, nth) => new SimulatedProcess(role, nth, new SimulatedDisk(), parts),
      ),
    );
  }

  /** What is no consequence of a fault is a bug. */
  #failed(error: unknown, where: string): void {
    const { scheduler } = this;
    for (const one of error instanceof AggregateError ? error.errors : [error]) {
      scheduler.trace.note(scheduler.steps, `  ${where}: ${String(one)}`);
      if (EXPECTED.some((expected) => one instanceof expected)) continue;
      scheduler.violation ??= new InvariantError(`${where}: ${String(one)}`, { cause: one });
    }
  }
}

const EXPECTED = [
  UnavailableError,
  KilledError,
  OwnershipLostError,
  CommitAbortedError,
  CommitUnknownError,
  RegistryUnavailableError,
] as const;
