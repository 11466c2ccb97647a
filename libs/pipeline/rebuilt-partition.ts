import { FOLD_VERSION, type TierChanged } from '#domain';
import type { LogCodec, LogGeneration, TierChangedCodec, TiersCodec } from './codecs.js';
import { differenceFromLog } from './log-identity.js';
import type { BatchControl, Log, TopicPartition } from './log.js';
import { checkpointOf, emptyPartition, partitionFromStore } from './partition-from-store.js';
import type { PartitionState } from './partition-state.js';
import { processBatch, type BatchPorts } from './process-batch.js';
import type { RelationshipSettings } from './relationship-settings.js';
import { RowPump } from './row-pump.js';
import type { FigureSink } from './rows.js';
import type { FrozenPartition, PartitionStore, StateStore } from './state-store.js';

/** Generation and epoch that a rebuild folds the log as, from its first record on. */
export type FoldedAs = Pick<LogGeneration, 'generation' | 'epoch'>;

export interface RebuildPorts {
  readonly log: Log;
  /** The group of the live fold. */
  readonly group: string;
  readonly logCodec: LogCodec;
  readonly facts: { readonly tierChanged: TierChangedCodec; readonly tiers: TiersCodec };
  readonly factPartitions: BatchPorts['factPartitions'];
  /** Wall clock, ms. */
  readonly now: () => number;
  /** Not the store of the live fold. */
  readonly store: StateStore;
  readonly sink: FigureSink;
  readonly cachedStatesMax: number;
  readonly settings: RelationshipSettings;
}

const PAUSE_MS = 200;
/** Inserts that fail in a row before a rebuild gives up; what it has done is kept. */
const REFUSALS_MAX = 150;

/**
 * A partition of the log folded from its start beside the live one: with a store of its own, as a generation of its
 * own, whose rows nobody is shown yet, and publishing nothing.
 */
export class RebuiltPartition {
  readonly #rows: RowPump;
  #sinkError: Error | null = null;
  #isClosed = false;
  #flushedAt: number;
  #checkpointedAt: number;

  private constructor(
    readonly input: TopicPartition,
    readonly state: PartitionState,
    private readonly ports: RebuildPorts,
  ) {
    const { sink, settings, now } = ports;
    this.#rows = new RowPump(state.outbox, sink, settings, now, ({ error }) => (this.#sinkError = error));
    this.#flushedAt = now();
    this.#checkpointedAt = now();
  }

  /** Goes on with what an earlier run has left of the same generation, log and fold; else begins anew. */
  static async open(input: TopicPartition, as: FoldedAs, ports: RebuildPorts): Promise<RebuiltPartition> {
    const { partition } = input;
    const found = await leftBehind(input, as, ports);
    if (found !== null) {
      // Rows from behind the checkpoint may have been sent: what they said is not known here.
      const ends = await ports.log.ends(input.topic);
      const sentTo = ends.find((one) => one.partition === partition)?.end ?? 0;
      const { store, checkpoint } = found;
      const state = await partitionFromStore(partition, store, checkpoint, sentTo, ports);
      return new RebuiltPartition(input, state, ports);
    }
    ports.store.drop(partition);
    const state = emptyPartition(partition, ports.store.open(partition), 0, as, ports);
    return new RebuiltPartition(input, state, ports);
  }

  /**
   * Folds up to an offset, exclusive; what lies behind it already is no news.
   * @param control   its heartbeat is called after every batch; once it is stale, the fold ends early
   * @param onFacts   told of the facts that the live fold has published for these records, if it folds as this one does
   */
  async foldTo(
    offset: number,
    control: BatchControl,
    onFacts: (facts: readonly TierChanged[]) => void = () => undefined,
  ): Promise<void> {
    const { log } = this.ports;
    const ports = { ...this.ports, writer: null, onFacts };
    if (this.state.position >= offset) return;
    for await (const batch of log.read(this.input, this.state.position, offset)) {
      do {
        await processBatch(batch, this.state, ports, () => control.heartbeat());
        await control.heartbeat();
        if (control.isStale()) return;
        this.#maintain();
        await this.#rows.waitForRoom(control);
      } while (this.state.position < batch.nextOffset);
    }
  }

  /** All rows are sent and the store is up to date when this resolves. @throws Error   the sink refuses for long */
  async settle(control: BatchControl): Promise<void> {
    this.state.flush(true);
    let failures = 0;
    while (this.state.outbox.size > 0 && !control.isStale()) {
      this.#sinkError = null;
      await this.#rows.sendAll();
      await control.heartbeat();
      if (this.state.outbox.size === 0) break;
      const refusal = this.#refusal();
      failures = refusal === null ? 0 : failures + 1;
      if (refusal !== null && failures > REFUSALS_MAX) throw refusal;
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
    this.state.checkpoint();
  }

  /** The store as of the last checkpoint. */
  freeze(): FrozenPartition | null {
    return this.state.freeze();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#rows.stop();
    this.state.close();
  }

  #refusal(): Error | null {
    return this.#sinkError;
  }

  #maintain(): void {
    const { settings, now } = this.ports;
    const { state } = this;
    if (state.isFull || now() - this.#flushedAt >= settings.catchUpFlushIntervalMs) {
      state.flush(true);
      this.#flushedAt = now();
      void this.#rows.sendAll();
    }
    if (
      state.dirtyStates < settings.dirtyStatesMax &&
      now() - this.#checkpointedAt < settings.checkpointIntervalMs
    )
      return;
    state.checkpoint();
    this.#checkpointedAt = now();
  }
}

async function leftBehind(input: TopicPartition, as: FoldedAs, ports: RebuildPorts) {
  const store = ports.store.open(input.partition);
  const checkpoint = await usableCheckpoint(store, input, as, ports);
  if (checkpoint !== null) return { store, checkpoint };
  store.close();
  return null;
}

async function usableCheckpoint(
  store: PartitionStore,
  input: TopicPartition,
  as: FoldedAs,
  { log, logCodec }: RebuildPorts,
) {
  const checkpoint = checkpointOf(store);
  if (checkpoint === null) return null;
  const { generation, epoch, foldVersion } = checkpoint;
  if (generation !== as.generation || epoch !== as.epoch || foldVersion !== FOLD_VERSION) return null;
  return (await differenceFromLog(log, logCodec, input, checkpoint)) === null ? checkpoint : null;
}
