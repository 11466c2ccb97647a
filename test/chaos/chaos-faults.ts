/** What can be done to a running world. Each fault heals what it has broken before it ends. */
import { appendFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SeededRandom } from '../../libs/testing/simulation/seeded-random.js';
import { TOPICS } from '#pipeline';
import { API } from '../servers/kafka-proxy.js';
import type { KafkaServer } from '../servers/kafka-server.js';
import type { ChaosApp } from './chaos-app.js';
import type { ChaosWorld } from './chaos-world.js';
import type { FaultKind } from './fault-kinds.js';

/** Longer than the session timeout of a group and than a transaction may be open: 10 s both. */
const SLEEP_MS = 13_000;
/** How long to wait for a transaction to be held. Where intake has nothing to commit, none comes. */
const HOLD_MS = 15_000;

export interface FaultOutcome {
  /** When all was healed, ms. */
  readonly healedAt: number;
  /** False where the moment did not come. */
  readonly isStruck: boolean;
}

type Strike = (world: ChaosWorld, random: SeededRandom) => Promise<boolean>;

const STRIKES: Readonly<Record<FaultKind, Strike>> = {
  'kill intake': (world, random) => killOne(world, 'intake', random),
  'kill relationship': (world, random) => killOne(world, 'relationship', random),
  'kill archive': (world, random) => killOne(world, 'archive', random),
  'kill intake inside a transaction': (world) =>
    insideTransaction(world, async (app) => {
      await app.kill();
      releaseAll(world);
      app.start();
    }),
  'intake sleeps inside a transaction': (world) =>
    insideTransaction(world, async (app) => {
      app.process.signal('SIGSTOP');
      await sleep(SLEEP_MS);
      app.process.signal('SIGCONT');
      // Only now does the broker hear of the commit, which it has to refuse.
      releaseAll(world);
    }),
  'relationship sleeps': (world, random) => sleepOne(world, 'relationship', random),
  'archive sleeps': (world, random) => sleepOne(world, 'archive', random),
  'torn write at the end of the store': tearStore,
  'disk of relationship lost': loseDisk,
  'broker killed': ({ servers }, random) => killBroker(random.pick(servers.brokers), random),
  'leader of the log killed': async ({ servers }, random) => {
    const leader = await servers.leaderOf(TOPICS.relationshipLog, 0);
    return leader === null ? false : killBroker(leader, random);
  },
  'ClickHouse killed': async ({ servers }, random) => {
    await servers.stopClickHouse();
    await sleep(1_000 + random.below(5_000));
    await servers.resumeClickHouse();
    return true;
  },
  'registry stopped, intake killed': async (world, random) => {
    await world.servers.registry.kill('SIGSTOP');
    try {
      await killOne(world, 'intake', random);
      await sleep(2_000 + random.below(6_000));
    } finally {
      await world.servers.registry.kill('SIGCONT');
    }
    return true;
  },
};

export async function strike(
  kind: FaultKind,
  world: ChaosWorld,
  random: SeededRandom,
): Promise<FaultOutcome> {
  const isStruck = await STRIKES[kind](world, random);
  return { healedAt: Date.now(), isStruck };
}

async function killBroker(broker: KafkaServer, random: SeededRandom): Promise<boolean> {
  await broker.kill('SIGKILL');
  await sleep(random.below(3_000));
  await broker.restart();
  return true;
}

async function killOne(world: ChaosWorld, kind: ChaosApp['kind'], random: SeededRandom): Promise<boolean> {
  const app = random.pick(world.of(kind));
  await app.kill();
  await sleep(random.below(1_500));
  app.start();
  return true;
}

async function sleepOne(world: ChaosWorld, kind: ChaosApp['kind'], random: SeededRandom): Promise<boolean> {
  const app = random.pick(world.of(kind));
  app.process.signal('SIGSTOP');
  await sleep(SLEEP_MS + random.below(2_000));
  app.process.signal('SIGCONT');
  return true;
}

/** The end of its next transaction is kept from the broker, so that its records stand in the log undecided. */
async function insideTransaction(world: ChaosWorld, act: (app: ChaosApp) => Promise<void>): Promise<boolean> {
  const { proxies } = world.servers;
  const [app] = world.of('intake');
  const held = Promise.race(proxies.map((proxy) => proxy.strike(API.endTxn, 'hold-request')));
  const isHeld = await Promise.race([held.then(() => true), sleep(HOLD_MS, false)]);
  try {
    if (isHeld && app !== undefined) await act(app);
  } finally {
    releaseAll(world);
  }
  return isHeld;
}

function releaseAll({ servers }: ChaosWorld): void {
  for (const proxy of servers.proxies) proxy.release();
}

/** Another machine takes the place of one that is gone: what was on its disk is in snapshots, or in the log. */
async function loseDisk(world: ChaosWorld, random: SeededRandom): Promise<boolean> {
  const app = random.pick(world.of('relationship'));
  await app.kill();
  rmSync(join(world.directory, app.label), { recursive: true, force: true });
  app.start();
  return true;
}

/**
 * Killed while it wrote: behind the last page that the store knows of there are some that no commit has reached.
 * (Of a commit of LMDB the pages come first and are flushed, and then the one page that makes them valid.)
 */
async function tearStore(world: ChaosWorld, random: SeededRandom): Promise<boolean> {
  const app = random.pick(world.of('relationship'));
  await app.kill();
  const file = join(world.directory, app.label, 'state', 'relationship', 'data.mdb');
  appendFileSync(file, randomBytes(1 + random.below(20_000)));
  app.start();
  return true;
}
