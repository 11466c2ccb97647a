/**
 * A replay's host on the platform. On the embedded log this process folds and archives itself; on Kafka the running
 * services do, and the replay waits for them, unless it is told to do it itself.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { integer, rowOf, tierStocks } from '#clickhouse';
import { defaultRules } from '#domain';
import type { Platform } from '#platform';
import { lastRules } from '../simulator/recorded/replay-log.js';
import type { ReplayTarget } from '../simulator/recorded/replay-plan.js';
import type { CliConfig } from './cli-config.js';
import type { CliIo } from './cli-io.js';
import { CliError } from './exit-codes.js';
import { FoldRunner, recordsLeftOf } from './fold/fold-runner.js';
import { openPlatform } from './open-platform.js';
import type { BrandTotals, DrainProgress, ReplayHost, SchemeStocks } from './replay-host.js';

const SERVICES_POLL_MS = 500;
/** Nobody has read anything for so long: the services are not running. */
const SERVICES_SILENT_MS = 60_000;

/** From the raw facts; of several records of one payment or refund the first by (time, hash) counts. */
const MONEY_TOTALS = `
  SELECT sumIf(amount, type = 'orderPaid') AS gross, sumIf(amount, type = 'orderRefunded') AS refunds,
    uniqExactIf((person, order_id), type = 'orderPaid') AS orders
  FROM (
    SELECT person, type, order_id, line_id, refund_id, argMin(amount_minor, (at, content_hash)) AS amount
    FROM gravity.touchpoints
    WHERE brand = {brand:String} AND type IN ('orderPaid', 'orderRefunded')
    GROUP BY person, type, order_id, line_id, refund_id
  )`;
const MONEY_ROW = rowOf({ gross: integer, refunds: integer, orders: integer });

export class PlatformHost implements ReplayHost {
  private runner: FoldRunner | null = null;
  private isWatched = false;

  private constructor(
    private readonly platform: Platform,
    private readonly config: CliConfig,
    private readonly io: CliIo,
    readonly target: ReplayTarget,
    private readonly foldsHere: boolean,
  ) {}

  /** @throws CliError (locked) */
  static async open(config: CliConfig, io: CliIo, foldHere: boolean): Promise<PlatformHost> {
    const platform = await openPlatform(config, io, foldHere);
    try {
      await platform.ready(io.signal);
      const { log, deadLetter } = platform.codecs();
      const target = {
        log: platform.log,
        logCodec: log,
        deadLetterCodec: deadLetter,
        newLogId: randomUUID(),
      };
      return new PlatformHost(platform, config, io, target, foldHere || platform.isEmbedded);
    } catch (error) {
      await platform.close();
      throw error;
    }
  }

  async start(rows: number, isWatched: boolean): Promise<void> {
    if (!this.foldsHere || this.runner !== null) return;
    this.isWatched = isWatched;
    this.runner = await FoldRunner.start(this.platform, this.config, { rows, isWatched }, (warning) =>
      this.io.err(`${warning}\n`),
    );
  }

  async waitDrained(onProgress: (progress: DrainProgress) => void, signal: AbortSignal): Promise<void> {
    if (this.runner !== null) return this.runner.waitDrained(onProgress, signal);
    let left = Infinity;
    let movedAt = Date.now();
    while (left > 0 && !signal.aborted) {
      const now = await recordsLeftOf(this.platform);
      onProgress({ recordsLeft: now, rowsLeft: 0 });
      if (now !== left) movedAt = Date.now();
      left = now;
      if (left > 0 && Date.now() - movedAt > SERVICES_SILENT_MS) {
        throw new CliError(
          `${left} records are in the log and nobody reads them: are the relationship and archive services running? ` +
            '(--fold-here does their work in this process)',
        );
      }
      if (left > 0) await delay(SERVICES_POLL_MS);
    }
  }

  async totals(brand: string): Promise<BrandTotals> {
    const { clickhouse } = this.platform;
    const { schemes } = (await lastRules(this.platform.log, this.platform.codecs().log)) ?? defaultRules();
    const own = schemes.filter((scheme) => scheme.brand === null || scheme.brand === brand);
    const stocks: SchemeStocks[] = [];
    for (const { id } of own) {
      stocks.push({ schemeId: id, tiers: await tierStocks(clickhouse, { brand, schemeId: id }) });
    }
    const [money] = await clickhouse.query({ sql: MONEY_TOTALS, params: { brand }, row: MONEY_ROW });
    return {
      brand,
      stocks,
      orders: money?.orders ?? 0,
      gmvGrossMinor: money?.gross ?? 0,
      refundsMinor: money?.refunds ?? 0,
    };
  }

  async close(): Promise<void> {
    // A paced replay has folded nearly all of it into rows already, and somebody looks at them.
    await this.runner?.stop(this.isWatched || !this.io.signal.aborted);
    await this.platform.close();
  }
}
