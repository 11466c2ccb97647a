/** How the service is doing: readiness, how far the log has been read, what is away. */
import { z } from 'zod';
import type { ClickHouse } from '#clickhouse';
import { TOPICS, type Log } from '#pipeline';
import { BUILD, type DependencyStatus, redactText } from '#runtime';
import { foldProgress } from './figures/fold-progress.js';
import { progressStamp } from './figures/stamp-of.js';
import type { ReconcileRun } from './reconcile/reconcile-job.js';
import { stampSchema } from './figures/stamp.js';

const count = z.int();

export const statusSchema = z
  .object({
    build: z.string(),
    ready: z.boolean(),
    stage: z.string().nullable().describe('What a start is waiting for'),
    now: z.iso.datetime().describe('Clock of the server'),
    zone: z.string().describe('Zone of the days'),
    currency: z.string(),
    currency_digits: count.describe('Decimals of its minor unit'),
    clickhouse: z.object({
      ready: z.boolean(),
      since: z.iso.datetime().describe('Since when it has been ready, or away'),
      reason: z.string().nullable(),
    }),
    log: z
      .object({
        lag: count.describe('Records of the log that are not folded yet'),
        archive_lag: count.describe('Records of the log that are not in the raw facts yet'),
        partitions: z
          .array(z.object({ partition: count, end: count, folded: count, archived: count }))
          .readonly(),
      })
      .nullable()
      .describe('Null while the log cannot be asked'),
    watermark_age_ms: z
      .number()
      .nullable()
      .describe('How long ago the watermark was, by the clock of the server'),
    reconciliation: z
      .object({
        at: z.iso.datetime().describe('When it began'),
        took_ms: count,
        compared: count.describe('Figures'),
        differ: count.describe('From a recount of the raw facts'),
      })
      .nullable()
      .describe('The newest run in the background; null before the first, and where it is switched off'),
    pages: count.describe('Pages that are open'),
    stamp: stampSchema,
  })
  .readonly();
export type StatusAnswer = z.infer<typeof statusSchema>;

/** Whose committed positions say how far the log has been read. */
const FOLDING_GROUP = 'relationship';
const ARCHIVING_GROUP = 'archive';
const FRESH_MS = 900;

export interface StatusParts {
  readonly clickhouse: ClickHouse;
  readonly log: Log;
  readonly clickhouseStatus: () => DependencyStatus;
  /** Null once the service is ready. */
  readonly stage: () => Promise<string | null>;
  readonly partitionsTotal: () => number;
  readonly zone: () => string;
  readonly pages: () => number;
  readonly reconciliation: () => ReconcileRun | null;
  readonly currency: string;
}

export class ConsoleStatus {
  private answer: Promise<StatusAnswer> | null = null;
  private askedAt = -Infinity;

  constructor(private readonly parts: StatusParts) {}

  /** The same answer for all who ask within a second. */
  read(): Promise<StatusAnswer> {
    const now = performance.now();
    if (this.answer === null || now - this.askedAt > FRESH_MS) {
      this.askedAt = now;
      this.answer = this.make();
    }
    return this.answer;
  }

  private async make(): Promise<StatusAnswer> {
    const { parts } = this;
    const stage = await parts.stage();
    const clickhouse = parts.clickhouseStatus();
    const canAsk = stage === null && clickhouse.isReady;
    const [progress, log] = await Promise.all([
      canAsk ? foldProgress(parts.clickhouse).catch(() => null) : null,
      stage === null ? this.logProgress().catch(() => null) : null,
    ]);
    const stamp = progressStamp(progress, parts.partitionsTotal(), null);
    const now = Date.now();
    return {
      build: BUILD,
      ready: stage === null && clickhouse.isReady,
      stage,
      now: new Date(now).toISOString(),
      zone: parts.zone(),
      currency: parts.currency,
      currency_digits: decimalsOf(parts.currency),
      clickhouse: {
        ready: clickhouse.isReady,
        since: new Date(clickhouse.since).toISOString(),
        reason: clickhouse.lastError === null ? null : redactText(clickhouse.lastError),
      },
      log,
      watermark_age_ms: stamp.watermark === null ? null : now - Date.parse(stamp.watermark),
      reconciliation: runAnswer(parts.reconciliation()),
      pages: parts.pages(),
      stamp,
    };
  }

  private async logProgress(): Promise<StatusAnswer['log']> {
    const { log } = this.parts;
    const topic = TOPICS.relationshipLog;
    const ends = await log.ends(topic);
    const partitions = await Promise.all(
      ends.map(async ({ partition, start, end }) => {
        const [folded, archived] = await Promise.all(
          [FOLDING_GROUP, ARCHIVING_GROUP].map((group) => log.committed(group, { topic, partition })),
        );
        return { partition, end, folded: folded ?? start, archived: archived ?? start };
      }),
    );
    const behind = (read: (one: (typeof partitions)[number]) => number): number =>
      partitions.reduce((sum, one) => sum + Math.max(0, one.end - read(one)), 0);
    return {
      lag: behind(({ folded }) => folded),
      archive_lag: behind(({ archived }) => archived),
      partitions,
    };
  }
}

function runAnswer(run: ReconcileRun | null): StatusAnswer['reconciliation'] {
  if (run === null) return null;
  const { at, tookMs, compared, differ } = run;
  return { at: new Date(at).toISOString(), took_ms: tookMs, compared, differ };
}

function decimalsOf(currency: string): number {
  return (
    new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits ?? 2
  );
}
