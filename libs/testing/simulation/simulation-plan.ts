import { DEFAULT_RELATIONSHIP_SETTINGS, type RelationshipSettings } from '#pipeline';
import type { Rules } from '#domain';
import { LOG_RULES } from '../arbitrary-log.js';
import type { SeededRandom } from './seeded-random.js';

const HOUR = 3_600_000;

/** Few dues a tick, so that ticks of one time have to follow each other; slow windows, which have few rows. */
const RULES: Rules = {
  ...LOG_RULES,
  schemes: LOG_RULES.schemes.filter(({ id }) => id === 'rolling:4d' || id === 'rolling:7d'),
  duesPerTick: 2,
  windows: [
    { id: '12h', widthMs: 12 * HOUR, slideMs: 6 * HOUR, latenessMs: HOUR },
    { id: '2d', widthMs: 48 * HOUR, slideMs: 24 * HOUR, latenessMs: 24 * HOUR },
  ],
};

/** What somebody configures while it runs. The zones stay, so the due edges do, too. */
const CHANGED_RULES: Rules = {
  ...RULES,
  schemes: [
    ...RULES.schemes.map((scheme) => ({ ...scheme, zeroOrderCounts: !scheme.zeroOrderCounts })),
    ...LOG_RULES.schemes.filter(({ id }) => id === 'calendar:month'),
  ],
};

/** How hard one run is, drawn from its seed. */
export interface SimulationPlan {
  readonly rules: Rules;
  /** Null: they stay as they are. */
  readonly changedRules: Rules | null;
  readonly settings: RelationshipSettings;
  readonly events: number;
  readonly logPartitions: number;
  readonly processes: { readonly intake: number; readonly relationship: number; readonly archive: number };
  readonly cachedStatesMax: number;
  readonly batchRecordsMax: number;
  /** Shares of the calls that fail, of those that kill, and of ends of transactions that fail. */
  readonly faultRate: number;
  readonly killRate: number;
  readonly endingFaultRate: number;
  /** Weight of each kind of mishap against the ordinary things that happen. */
  readonly mishaps: Readonly<Record<Mishap, number>>;
}

export const MISHAPS = [
  'kill',
  'deploy',
  'pause',
  'rebalance',
  'evict',
  'expireTransaction',
  'loseDisk',
  'gnaw',
] as const;
export type Mishap = (typeof MISHAPS)[number];

/**
 * @param isRestless     ownership moves more often
 * @param hasSnapshots   there is a place for them, at which something may gnaw
 */
export function planOf(random: SeededRandom, isRestless: boolean, hasSnapshots: boolean): SimulationPlan {
  const hard = random.pick([0, 0.3, 1, 1, 2, 4]);
  const weight = (): number => hard * random.pick([0, 0.2, 1, 1]);
  return {
    rules: RULES,
    changedRules: random.chance(0.25) ? CHANGED_RULES : null,
    settings: {
      ...DEFAULT_RELATIONSHIP_SETTINGS,
      rowsPerInsertMax: random.between(3, 80),
      outboxRowsMax: random.pick([60, 400, 10_000]),
      flushIntervalMs: random.pick([1, 500, 5_000]),
      correctionIntervalMs: random.pick([1, 3_000, 60_000]),
      checkpointIntervalMs: random.pick([1, 1_000, 20_000]),
      dirtyStatesMax: random.pick([2, 5, 1_000]),
      drainMs: random.pick([0, 200]),
    },
    events: random.between(10, 45),
    logPartitions: random.between(1, 2),
    processes: {
      intake: random.between(1, 2),
      relationship: random.between(2, 3),
      archive: random.between(1, 2),
    },
    cachedStatesMax: random.pick([1, 3, 100]),
    batchRecordsMax: random.pick([3, 20, 100]),
    faultRate: hard * random.pick([0, 0.005, 0.03]),
    killRate: random.pick([0, 0.3, 1]),
    endingFaultRate: hard * random.pick([0, 0.05, 0.15]),
    mishaps: {
      kill: weight(),
      deploy: weight(),
      pause: weight(),
      rebalance: weight(),
      evict: (isRestless ? 8 : 2) * weight(),
      expireTransaction: weight(),
      loseDisk: 0.3 * weight(),
      gnaw: hasSnapshots ? 0.2 * hard : 0,
    },
  };
}
