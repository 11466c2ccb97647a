import type { ClickHouse, ClickHouseFailure } from '#clickhouse';
import { DEFAULT_ZONE } from '#domain';
import { TOPICS, type Log } from '#pipeline';
import type { Platform } from '#platform';
import {
  type AppLogger,
  type HealthRegistry,
  redactText,
  type ServiceMetrics,
  type ShutdownSequence,
} from '#runtime';
import { Catalogue } from './catalogue.js';
import type { ConsoleOptions } from './config.js';
import { ConsoleStatus } from './console-status.js';
import { ApiProblem } from './http/api-problem.js';
import { FigureRounds } from './live/figure-rounds.js';
import { LivePages } from './live/live-pages.js';
import { TierFeed } from './live/tier-feed.js';
import { consoleReconciliation } from './reconcile/console-reconciliation.js';
import type { ReconcileJob } from './reconcile/reconcile-job.js';
import { LogFolder } from './tiers/log-folder.js';
import { dayZoneOf, firstRules } from './tiers/log-rules.js';

export interface ConsoleParts {
  readonly platform: Platform;
  readonly logger: AppLogger;
  readonly health: HealthRegistry;
  readonly shutdown: ShutdownSequence;
  readonly metrics: ServiceMetrics;
}

/** What the console knows once its log and its ClickHouse are there. */
interface Prepared {
  readonly partitionsTotal: number;
  readonly zone: string;
  readonly pages: LivePages;
  readonly reconciliation: ReconcileJob;
}

/** Owns what the API and the page need between requests, and its beginning and end. */
export class ConsoleService {
  readonly catalogue: Catalogue;
  readonly folder: LogFolder;
  readonly status: ConsoleStatus;
  private prepared: Prepared | null = null;

  constructor(
    private readonly parts: ConsoleParts,
    private readonly options: ConsoleOptions,
  ) {
    const { platform, shutdown } = parts;
    this.catalogue = new Catalogue(platform.clickhouse);
    this.folder = new LogFolder({ log: platform.log, codec: () => platform.codecs().log }, shutdown.signal);
    this.status = new ConsoleStatus({
      clickhouse: platform.clickhouse,
      log: platform.log,
      clickhouseStatus: () => platform.clickhouseStatus.status(),
      stage: () => this.stage(),
      partitionsTotal: () => this.prepared?.partitionsTotal ?? 0,
      zone: () => this.zone,
      pages: () => this.prepared?.pages.count ?? 0,
      reconciliation: () => this.prepared?.reconciliation.last ?? null,
      currency: options.currency,
    });
  }

  get clickhouse(): ClickHouse {
    return this.parts.platform.clickhouse;
  }

  get log(): Log {
    return this.parts.platform.log;
  }

  /** Zone of the days of this log. */
  get zone(): string {
    return this.prepared?.zone ?? DEFAULT_ZONE;
  }

  /** @throws ApiProblem 503 while the service starts */
  get partitionsTotal(): number {
    return this.running.partitionsTotal;
  }

  /** @throws ApiProblem 503 while the service starts */
  get pages(): LivePages {
    return this.running.pages;
  }

  /** Once log, registry and ClickHouse are there. */
  async prepare(): Promise<void> {
    const { platform, logger, shutdown, metrics } = this.parts;
    const rules = await firstRules(platform.log, platform.codecs().log);
    const partitionsTotal = await platform.partitionsOf(TOPICS.relationshipLog);
    const feed = new TierFeed({
      log: platform.log,
      codec: platform.codecs().tierChanged,
      onError: (error) => logger.warnRepeated('tier changes cannot be read', { err: error }),
    });
    const rounds = new FigureRounds({
      clickhouse: platform.clickhouse,
      isThere: () => platform.clickhouseStatus.status().isReady,
      partitionsTotal,
      everyMs: this.options.figuresEveryMs,
      onBug: (error) => logger.error('the figures of the pages cannot be made', { err: error }),
    });
    const pages = new LivePages({
      rounds,
      feed,
      status: async () => JSON.stringify(await this.status.read()),
      pagesMax: this.options.pagesMax,
    });
    const { catalogue, options } = this;
    const reconciliation = consoleReconciliation({ platform, catalogue, logger, metrics, options, rules });
    await feed.start();
    rounds.start();
    pages.start();
    reconciliation.start();
    const zone = (rules && dayZoneOf(rules)) ?? DEFAULT_ZONE;
    this.prepared = { partitionsTotal, zone, pages, reconciliation };
    shutdown.register('stop-sources', 'pages', async () => {
      await pages.stop();
      await Promise.all([rounds.stop(), feed.stop(), this.folder.idle(), reconciliation.stop()]);
    });
  }

  /** Why nothing can be asked now, as an answer; null when it can. */
  async obstacle(): Promise<ApiProblem | null> {
    const stage = await this.stage();
    if (stage !== null) return new ApiProblem(503, `not ready yet: ${stage}`);
    const { isReady } = this.parts.platform.clickhouseStatus.status();
    return isReady ? null : this.clickhouseProblem();
  }

  /** What to answer where a query has failed. */
  problemOf(failure: ClickHouseFailure): ApiProblem {
    if (!failure.retryable) {
      this.parts.logger.error('a query is refused', { err: failure });
      return new ApiProblem(500, 'ClickHouse refuses the query; the log of this service says why');
    }
    return this.clickhouseProblem();
  }

  private clickhouseProblem(): ApiProblem {
    const { since, lastError } = this.parts.platform.clickhouseStatus.status();
    const sinceText = new Date(since).toISOString();
    const reason = lastError === null ? '' : `: ${redactText(lastError)}`;
    return new ApiProblem(503, `ClickHouse has been away since ${sinceText}${reason}`, {
      dependency: 'clickhouse',
      since: sinceText,
    });
  }

  private get running(): Prepared {
    if (this.prepared === null) throw new ApiProblem(503, 'not ready yet');
    return this.prepared;
  }

  private async stage(): Promise<string | null> {
    if (this.prepared !== null && !this.parts.shutdown.signal.aborted) return null;
    const results = await this.parts.health.ready();
    return results.find(({ isUp }) => !isUp)?.reason ?? 'opening the console';
  }
}
