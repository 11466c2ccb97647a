/** The background reconciliation as the console runs it: what it looks at, and whom it tells. */
import { setTimeout as delay } from 'node:timers/promises';
import { reachedBy, ReconciliationSink, tierStocks } from '#clickhouse';
import { defaultRules, type Rules } from '#domain';
import { TOPICS } from '#pipeline';
import type { Platform } from '#platform';
import type { AppLogger, ServiceMetrics } from '#runtime';
import type { BrandEntry, Catalogue } from '../catalogue.js';
import type { ConsoleOptions } from '../config.js';
import { allOf, driftText, lookForDrift, type Findings } from './look-for-drift.js';
import { ReconcileJob, type LookSample } from './reconcile-job.js';

export interface ReconciliationParts {
  readonly platform: Platform;
  readonly catalogue: Catalogue;
  readonly logger: AppLogger;
  readonly metrics: ServiceMetrics;
  readonly options: Pick<ConsoleOptions, 'reconcileEveryMs' | 'reconcileEnds'>;
  /** Those that the log was begun with; null: it has none. */
  readonly rules: Rules | null;
}

const FIRST_IN_MS = 60_000;
const SECOND_LOOK_MS = 15_000;
/** Comparing all persons reads all that they ever did: beyond so many it is left to `gravity reconcile`. */
const PERSONS_MAX = 200_000;
const CATCH_UP_MS = 60_000;
const POLL_MS = 500;
const ARCHIVING_GROUP = 'archive';
const DRIFTS_LOGGED = 5;
/** Of each scheme, at another place each time. */
const DAYS = 2;
const DAY_MS = 86_400_000;

export function consoleReconciliation(parts: ReconciliationParts): ReconcileJob {
  const { platform, options, logger, metrics } = parts;
  const sink = new ReconciliationSink(platform.clickhouse);
  return new ReconcileJob({
    everyMs: options.reconcileEveryMs,
    firstInMs: FIRST_IN_MS,
    secondLookMs: SECOND_LOOK_MS,
    reached: () => reachedBy(platform.clickhouse),
    look: (sample, signal) => lookAtAll(parts, sample, signal),
    caughtUp: (signal) => archiveCaughtUp(platform, signal),
    store: (comparisons, drifts) => sink.write(comparisons, drifts),
    onRun: ({ at, tookMs, differ }, { comparisons, drifts }) => {
      metrics.reconciled(at, tookMs, comparisons);
      if (differ > 0) {
        logger.error('live figures differ from the raw facts', {
          differ,
          first: drifts.slice(0, DRIFTS_LOGGED).map(driftText),
        });
      }
    },
    onFailure: (error) => logger.warnRepeated('the reconciliation has failed', { err: error }),
    now: Date.now,
  });
}

async function lookAtAll(
  { platform, catalogue, options, rules }: ReconciliationParts,
  { offset, until }: LookSample,
  signal: AbortSignal,
): Promise<Findings> {
  const parts: Findings[] = [];
  for (const entry of await catalogue.brands()) {
    const schemes = (await isSmall(platform, entry)) ? (rules?.schemes ?? []) : [];
    const { refundHorizonDays, stateLatenessMs } = rules ?? defaultRules();
    const sample = {
      ...{ windows: rules?.windows ?? [], ends: options.reconcileEnds, offset, until, schemes },
      ...{ fineRowsFrom: rules?.fineRowsFrom ?? 0, days: DAYS, stateLatenessMs },
      refundHorizonMs: refundHorizonDays * DAY_MS,
    };
    parts.push(await lookForDrift(platform.clickhouse, entry, sample, () => signal.throwIfAborted()));
  }
  return allOf(parts);
}

async function isSmall({ clickhouse }: Platform, { brand, schemes }: BrandEntry): Promise<boolean> {
  const [schemeId] = schemes;
  if (schemeId === undefined) return true;
  const stocks = await tierStocks(clickhouse, { brand, schemeId });
  return stocks.reduce((sum, persons) => sum + persons, 0) <= PERSONS_MAX;
}

/** With the raw facts, and with the tier changes that follow from them. */
async function archiveCaughtUp({ log }: Platform, signal: AbortSignal): Promise<void> {
  const until = Date.now() + CATCH_UP_MS;
  for (const topic of [TOPICS.relationshipLog, TOPICS.tierChanges]) {
    const waiting = new Map((await log.ends(topic)).map(({ partition, end }) => [partition, end]));
    while (waiting.size > 0 && Date.now() < until) {
      for (const [partition, end] of waiting) {
        const stored = await log.committed(ARCHIVING_GROUP, { topic, partition });
        if (end === 0 || (stored ?? 0) >= end) waiting.delete(partition);
      }
      if (waiting.size > 0) await delay(POLL_MS, undefined, { signal });
    }
  }
}
