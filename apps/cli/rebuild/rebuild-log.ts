/** A rebuild of the whole log: all partitions folded beside the live ones, compared, and gone over to. */
import { rmSync } from 'node:fs';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import {
  ClickHouseFigureSink,
  compareGenerations,
  GenerationSink,
  heartbeats,
  positionOf,
  restatements,
  shownGeneration,
  type GenerationsCompared,
  type StoredGeneration,
} from '#clickhouse';
import { defaultRules } from '#domain';
import {
  DEFAULT_RELATIONSHIP_SETTINGS,
  openPartition,
  PublishedTiers,
  putSnapshot,
  RebuiltPartition,
  switchGeneration,
  TierDifferences,
  TOPICS,
  type BatchControl,
  type SnapshotStore,
  type SwitchPorts,
  type TierDifference,
} from '#pipeline';
import type { OpenStateStore } from '#data-folder';
import type { Platform } from '#platform';
import type { CliConfig } from '../cli-config.js';
import { CliError } from '../exit-codes.js';
import { RELATIONSHIP_GROUP } from '../fold/folding.js';
import { formatCount, percent, type ProgressLine } from '../progress-line.js';
import type { FoldedNow } from './rebuild-target.js';

/** What a rebuild has found. */
export interface RebuildFindings {
  readonly generation: StoredGeneration;
  readonly shown: number;
  readonly records: number;
  readonly tiersCompared: number;
  readonly tiers: readonly TierDifference[];
  readonly figures: GenerationsCompared;
  /** Closed periods that were restated by hand: a fold of the log knows nothing of them. */
  readonly restatements: number;
}

export interface RebuildParts {
  readonly platform: Platform;
  readonly config: CliConfig;
  readonly line: ProgressLine;
  readonly signal: AbortSignal;
  readonly now: FoldedNow;
  readonly target: StoredGeneration;
  /** Where the next owners of the partitions find the rebuilt stores. Null: they fold the log from its start. */
  readonly snapshots: SnapshotStore | null;
}

/** Behind by so little, a live log is caught up with. */
const LAG_MAX = 2_000;
const ROUNDS_MAX = 20;
const RESTATEMENTS_MAX = 10_000;
/** A live fold that writes nothing is not waited for. */
const LIVE_ROWS_MAX_MS = 60_000;
const LIVE_ROWS_POLL_MS = 500;
/** Corrections to closed ends are written at this interval at most. */
const CORRECTIONS_MS = DEFAULT_RELATIONSHIP_SETTINGS.correctionIntervalMs;

export class LogRebuild {
  readonly #published: PublishedTiers;

  private constructor(
    private readonly parts: RebuildParts,
    private readonly ports: SwitchPorts,
    private readonly store: OpenStateStore,
    /** Those that have not been switched by a run that was cut short. */
    private readonly partitions: readonly RebuiltPartition[],
  ) {
    const live = Math.min(...[...parts.now.partitions.values()].map(({ epoch }) => epoch));
    this.#published = new PublishedTiers(ports.log, parts.platform.codecs().tiers, live);
  }

  static async open(parts: RebuildParts): Promise<LogRebuild> {
    const { platform, config, target } = parts;
    const codecs = platform.codecs();
    const store = platform.openStateStore(`rebuild-g${target.generation}`);
    const ports: SwitchPorts = {
      log: platform.log,
      group: RELATIONSHIP_GROUP,
      logCodec: codecs.log,
      generationCodec: codecs.generations,
      facts: codecs,
      factPartitions: {
        tierChanges: await platform.partitionsOf(TOPICS.tierChanges),
        tiers: await platform.partitionsOf(TOPICS.tiers),
      },
      now: Date.now,
      store: store.store,
      sink: new ClickHouseFigureSink(platform.clickhouse),
      cachedStatesMax: config.stateCachePersons,
      settings: { ...DEFAULT_RELATIONSHIP_SETTINGS, outboxRowsMax: config.outboxRowsMax },
    };
    const left = [...parts.now.partitions].filter(([, { generation }]) => generation < target.generation);
    const partitions: RebuiltPartition[] = [];
    for (const [partition] of left) {
      partitions.push(
        await RebuiltPartition.open({ topic: TOPICS.relationshipLog, partition }, target, ports),
      );
    }
    return new LogRebuild(parts, ports, store, partitions);
  }

  /** Folds all that is committed, until what is left is little. */
  async build(): Promise<void> {
    for (let round = 1; round <= ROUNDS_MAX; round += 1) {
      const total = await this.#committedRecords();
      for (const rebuilt of this.partitions) await this.#catchUp(rebuilt, total);
      if ((await this.#committedRecords()) - this.#folded() <= LAG_MAX) break;
    }
  }

  /** What is true by the rebuild and otherwise by what is live. */
  async compare(): Promise<RebuildFindings> {
    const { platform, target, line } = this.parts;
    const { clickhouse, isEmbedded } = platform;
    const shown = await shownGeneration(clickhouse);
    await this.#published.readOn();
    const tiers: TierDifference[] = [];
    let tiersCompared = 0;
    for (const rebuilt of this.partitions) {
      const differences = await this.#compareTiers(rebuilt);
      tiersCompared += differences.compared;
      tiers.push(...differences.all());
    }
    if (!isEmbedded) await this.#liveRowsWritten(shown);
    const figures = await compareGenerations(clickhouse, {
      ...{ shown, rebuilt: target.generation, windows: this.#windows(), positions: this.#positions() },
      onProgress: (done, of) => line.update(() => `figures compared: ${done} of ${of}`),
    });
    const restated = await restatements(clickhouse, { brand: '', limit: RESTATEMENTS_MAX });
    return {
      ...{ generation: target, shown, records: this.#folded(), tiersCompared, tiers, figures },
      restatements: restated.filter(({ generation, state }) => generation === shown && state === 'done')
        .length,
    };
  }

  /** @returns facts published with the cause RESTATE */
  async switchOver(): Promise<number> {
    const { snapshots, line, platform, target } = this.parts;
    let restated = 0;
    for (const [nth, rebuilt] of this.partitions.entries()) {
      line.update(() => `going over: partition ${nth + 1} of ${this.partitions.length}`);
      await this.#catchUp(rebuilt, this.#folded());
      if (snapshots !== null) {
        const { partition } = rebuilt.input;
        await putSnapshot(snapshots, { partition, freeze: () => rebuilt.freeze() }, Date.now());
      }
      // What came meanwhile is little, so that the live fold is stopped for a moment only.
      await this.#catchUp(rebuilt, this.#folded());
      await this.#published.readOn();
      const differences = await this.#compareTiers(rebuilt);
      const compared = { published: this.#published, differences };
      const switched = await switchGeneration(rebuilt, target, compared, this.ports, this.#control());
      restated += switched.restated;
      rebuilt.close();
    }
    if (platform.isEmbedded) await this.#install();
    await new GenerationSink(platform.clickhouse).write({ ...target, state: 'shown', changedAt: Date.now() });
    return restated;
  }

  /** @param isDone   the rebuilt stores have been taken over, or nobody will ever */
  close(isDone: boolean): void {
    for (const rebuilt of this.partitions) rebuilt.close();
    this.store.store.close();
    if (isDone) rmSync(this.store.directory, { recursive: true, force: true });
  }

  /** On the embedded log the next owner has this very disk. */
  async #install(): Promise<void> {
    const { platform, config, snapshots, now } = this.parts;
    const { store, directory } = platform.openStateStore(RELATIONSHIP_GROUP);
    try {
      for (const partition of now.partitions.keys()) {
        const input = { topic: TOPICS.relationshipLog, partition };
        const ports = { ...this.ports, store, storeDirectory: directory, snapshots };
        const { state } = await openPartition(input, { ...ports, cachedStatesMax: config.stateCachePersons });
        state.close();
      }
    } finally {
      store.close();
    }
  }

  async #catchUp(rebuilt: RebuiltPartition, total: number): Promise<void> {
    const { log, group } = this.ports;
    const committed = await log.committed(group, rebuilt.input);
    if (committed === null) {
      throw new CliError(
        `nothing of ${rebuilt.input.topic}-${rebuilt.input.partition} has been folded by the relationship service yet ` +
          '(or its committed offset has expired): there is nothing to rebuild',
      );
    }
    await rebuilt.foldTo(committed, this.#control(total));
    await rebuilt.settle(this.#control(total));
    this.parts.signal.throwIfAborted();
  }

  async #compareTiers(rebuilt: RebuiltPartition): Promise<TierDifferences> {
    const differences = new TierDifferences(rebuilt, this.#published, this.parts.now.partitions.size);
    await differences.compareAll(async () => {
      this.parts.line.update(() => `tiers compared: ${formatCount(differences.compared)}`);
      this.parts.signal.throwIfAborted();
      await nextTurn();
    });
    return differences;
  }

  #folded(): number {
    return this.partitions.reduce((sum, { state }) => sum + state.position, 0);
  }

  async #committedRecords(): Promise<number> {
    let sum = 0;
    for (const { input } of this.partitions)
      sum += (await this.ports.log.committed(this.ports.group, input)) ?? 0;
    return sum;
  }

  #windows() {
    return (this.partitions[0]?.state.frame.rules ?? defaultRules()).windows;
  }

  #positions(): ReadonlyMap<number, number> {
    return new Map(this.partitions.map(({ input, state }) => [input.partition, state.position]));
  }

  /**
   * Waits for the live fold's rows of all that is folded here. Rows of closed ends that late records have changed come
   * some seconds after those records; a heartbeat stands behind them, so the first end that can only have been
   * closed after such a time vouches for them.
   */
  async #liveRowsWritten(shown: number): Promise<void> {
    const { platform, line, signal } = this.parts;
    // The one with the smallest slide.
    const [window] = this.#windows();
    const positions = [...this.#positions()];
    const deadline = Date.now() + LIVE_ROWS_MAX_MS;
    let foldedAt = Infinity;
    while (window !== undefined && Date.now() < deadline) {
      const beats = await heartbeats(platform.clickhouse, window.id, shown);
      const isFolded = positions.every(
        ([partition, at]) => positionOf(beats?.versions.get(partition) ?? 0n) >= at,
      );
      if (isFolded) foldedAt = Math.min(foldedAt, Date.now());
      const isCorrected = ([partition]: readonly [number, number]): boolean =>
        (beats?.closed.get(partition) ?? 0) >= foldedAt + CORRECTIONS_MS;
      if (positions.every(isCorrected)) return;
      line.update(() => 'waiting for the rows of the live fold');
      await sleep(LIVE_ROWS_POLL_MS, undefined, { signal });
    }
  }

  #control(total?: number): BatchControl {
    const { signal, line } = this.parts;
    return {
      heartbeat: async () => {
        if (total !== undefined) {
          line.update(() => {
            const folded = this.#folded();
            return `folded ${formatCount(folded)} of ${formatCount(total)} records (${percent(folded, total)})`;
          });
        }
        await nextTurn();
      },
      isStale: () => signal.aborted,
    };
  }
}
