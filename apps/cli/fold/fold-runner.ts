/** The fold and the archive of a replay, in this process. */
import { setTimeout as delay } from 'node:timers/promises';
import { ClickHouseArchiveSink, ClickHouseFigureSink } from '#clickhouse';
import { ArchiveWorker, ARCHIVED_TOPICS, TOPICS, type ConsumerOptions, type LogConsumer } from '#pipeline';
import type { Platform } from '#platform';
import type { CliConfig } from '../cli-config.js';
import { CliError } from '../exit-codes.js';
import type { DrainProgress } from '../replay-host.js';
import { FoldHere } from './fold-here.js';
import { FoldThreads } from './fold-threads.js';
import { unreadBy } from './unread.js';
import {
  ARCHIVE_GROUP,
  RELATIONSHIP_GROUP,
  type Folding,
  type FoldSettings,
  type FoldState,
} from './folding.js';

const POLL_MS = 50;
/**
 * Nobody waits for single rows of a replay's archive, and each insert costs ClickHouse a part and its merges: rows
 * are gathered for this long, and written this many at once.
 */
const ARCHIVE_FILL_MS = 3_000;
const ARCHIVE_ROWS_MAX = 50_000;

/** A log of so few records is folded here before threads for it have started. */
const FEW_RECORDS = 20_000;

const WHOLE_LOG = { index: 0, of: 1 };

interface Coming {
  /** That may be written to the log meanwhile. */
  readonly rows: number;
  /** Somebody looks at the figures while they move: rows of figures are written at once. */
  readonly isWatched: boolean;
}

export class FoldRunner {
  private isHurrying: boolean;

  private constructor(
    private readonly platform: Platform,
    private readonly folding: Folding,
    private readonly archive: ArchiveWorker,
    private archiving: LogConsumer,
    private readonly settings: FoldSettings,
  ) {
    this.isHurrying = !gathers(platform, settings);
  }

  static async start(
    platform: Platform,
    config: CliConfig,
    { rows, isWatched }: Coming,
    warn: (text: string) => void,
  ): Promise<FoldRunner> {
    const settings: FoldSettings = {
      isWatched,
      cachedStatesMax: config.stateCachePersons,
      outboxRowsMax: config.outboxRowsMax,
      batchRecordsMax: config.batchRecordsMax,
    };
    const folding = await startFolding(platform, settings, rows, warn);
    const codecs = platform.codecs();
    const { log } = platform;
    const archive = new ArchiveWorker(
      {
        log,
        group: ARCHIVE_GROUP,
        sink: new ClickHouseArchiveSink(platform.clickhouse, ARCHIVE_ROWS_MAX),
        logCodec: codecs.log,
        tierChangedCodec: codecs.tierChanged,
        deadLetterCodec: codecs.deadLetter,
        now: Date.now,
      },
      {
        batch: () => undefined,
        waiting: (_input, error) => warn(`raw facts wait for ClickHouse: ${error.message}`),
      },
    );
    const archiving = log.consumer({
      ...archiveOptions(settings),
      ...(gathers(platform, settings) ? { batchRecordsMax: ARCHIVE_ROWS_MAX, fillMs: ARCHIVE_FILL_MS } : {}),
    });
    await archiving.start(archive);
    return new FoldRunner(platform, folding, archive, archiving, settings);
  }

  /** @throws CliError   a consumer has given up */
  async waitDrained(onProgress: (progress: DrainProgress) => void, signal: AbortSignal): Promise<void> {
    this.folding.finish();
    while (!signal.aborted) {
      this.assertAlive();
      // Asked before the archive: what the fold has published by then is the archive's to read.
      const { positions, rowsLeft, isFinished } = this.folding.state();
      // What others have written to Kafka since then is theirs.
      const unfolded = isFinished ? 0 : await this.unfolded(positions);
      if (unfolded === 0) await this.hurry();
      const recordsLeft = unfolded + (await unreadBy(this.platform.log, ARCHIVE_GROUP, ARCHIVED_TOPICS));
      onProgress({ recordsLeft, rowsLeft });
      if (isFinished && recordsLeft === 0) return;
      await delay(POLL_MS);
    }
  }

  /** What is left to fold, by where the states are. */
  private async unfolded(positions: FoldState['positions']): Promise<number> {
    let left = 0;
    for (const { partition, start, end } of await this.platform.log.ends(TOPICS.relationshipLog)) {
      left += Math.max(0, end - (positions.get(partition) ?? start));
    }
    return left;
  }

  /** Nothing more comes: what the archive has gathered need not wait for it. */
  private async hurry(): Promise<void> {
    if (this.isHurrying) return;
    this.isHurrying = true;
    await this.archiving.stop();
    this.archiving = this.platform.log.consumer(archiveOptions(this.settings));
    await this.archiving.start(this.archive);
  }

  /** @param keepsStates   false: at once (`Folding.stop`) */
  async stop(keepsStates: boolean): Promise<void> {
    await Promise.all([this.folding.stop(keepsStates), this.archiving.stop()]);
  }

  private assertAlive(): void {
    const failure = this.folding.state().failure ?? this.archiving.health().crashed?.message ?? null;
    if (failure !== null) throw new CliError(`folding has stopped: ${failure}`);
  }
}

/** Kafka's consumer fetches large batches by itself, and joins its group too slowly to do so twice. */
function gathers(platform: Platform, { isWatched }: FoldSettings): boolean {
  return platform.isEmbedded && !isWatched;
}

function archiveOptions({ batchRecordsMax }: FoldSettings): ConsumerOptions {
  return { group: ARCHIVE_GROUP, topics: ARCHIVED_TOPICS, batchRecordsMax };
}

async function startFolding(
  platform: Platform,
  settings: FoldSettings,
  rows: number,
  warn: (text: string) => void,
): Promise<Folding> {
  const { clickhouse } = platform;
  const ends = await platform.log.ends(TOPICS.relationshipLog);
  const records = ends.reduce((sum, { start, end }) => sum + end - start, 0);
  if (platform.isEmbedded && records + rows > FEW_RECORDS) {
    return FoldThreads.start(
      { dataDir: platform.dataDir, partitions: ends.length, clickhouse, warn },
      settings,
    );
  }
  const sink = new ClickHouseFigureSink(clickhouse);
  const openStateStore = platform.openStateStore.bind(platform);
  return FoldHere.start(
    { log: platform.log, codecs: platform.codecs(), openStateStore, sink, warn, share: WHOLE_LOG },
    settings,
  );
}

/** Records that the running services have not committed yet. */
export async function recordsLeftOf(platform: Platform): Promise<number> {
  const unfolded = await unreadBy(platform.log, RELATIONSHIP_GROUP, [TOPICS.relationshipLog]);
  return unfolded + (await unreadBy(platform.log, ARCHIVE_GROUP, ARCHIVED_TOPICS));
}
