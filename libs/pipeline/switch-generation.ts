/** The moment in which a partition of the log goes over to the generation that a rebuild has made. */
import { setTimeout as sleep } from 'node:timers/promises';
import { FOLD_VERSION, personKey, restatedTier, type TierChanged } from '#domain';
import type { LogGeneration, LogGenerationCodec } from './codecs.js';
import { begunGenerations } from './log-generations.js';
import {
  CommitAbortedError,
  CommitUnknownError,
  OwnershipLostError,
  type BatchControl,
  type OutgoingRecord,
  type TransactionalWriter,
} from './log.js';
import type { Placed, PublishedTiers } from './published-tiers.js';
import { factRecords } from './process-batch.js';
import type { FoldedAs, RebuildPorts, RebuiltPartition } from './rebuilt-partition.js';
import type { TierDifferences } from './tier-differences.js';
import { TOPICS } from './topics.js';

export interface SwitchPorts extends RebuildPorts {
  readonly generationCodec: LogGenerationCodec;
}

export interface Switched {
  /** Offset of the first record that the new generation publishes. */
  readonly position: number;
  /** Subscribers were told that their tiers are others: as many facts with the cause RESTATE. */
  readonly restated: number;
}

const ATTEMPTS_MAX = 50;
const RIVAL_PAUSE_MS = 200;
const EPOCH_FACTOR = 2n ** 48n;

/**
 * Ends the generation that is live in a partition and begins the rebuilt one: fences whoever folds it, brings the
 * rebuild up to the committed position, and commits, in one transaction, what subscribers have to be told, the
 * record that begins the epoch, and the entry of `log-generations` by which the next owner knows. Whoever comes next
 * finds his store of an ended generation and goes on from a snapshot of the rebuilt one, or from the start.
 *
 * @param differences   compared with all that was published, up to a moment ago
 * @throws OwnershipLostError   the live fold came back again and again; nothing was changed
 */
export async function switchGeneration(
  rebuilt: RebuiltPartition,
  as: FoldedAs,
  { published, differences }: { readonly published: PublishedTiers; readonly differences: TierDifferences },
  ports: SwitchPorts,
  control: BatchControl,
): Promise<Switched> {
  const { log, group } = ports;
  const { input } = rebuilt;
  for (let attempt = 1; ; attempt += 1) {
    // Fences the live fold. It comes back by itself, and fences us: nothing long is done from here on.
    const writer = await log.writer(group, input);
    try {
      const committed = await log.committed(group, input);
      if (committed === null)
        throw new Error(`group ${group} has no committed offset of ${input.topic}-${input.partition}`);
      const changed: Placed[] = [];
      const note = (placed: Placed): void => void changed.push(placed);
      await rebuilt.foldTo(committed, control, (facts) => facts.forEach(note));
      await published.readOn(note);
      for (const placed of changed) differences.look(placed);
      return await commitSwitch(rebuilt, as, committed, differences, writer, ports);
    } catch (error) {
      const begun = await begunHere(rebuilt, ports);
      if (begun?.generation === as.generation)
        return { position: begun.position, restated: differences.all().length };
      if (!isPassing(error) || attempt >= ATTEMPTS_MAX) throw error;
    } finally {
      await writer.close();
    }
    await sleep(RIVAL_PAUSE_MS * Math.random());
  }
}

/** The generation that a rebuild has begun in the partition; undefined where none has. */
export async function begunHere(
  { input, state }: RebuiltPartition,
  { log, generationCodec }: Pick<SwitchPorts, 'log' | 'generationCodec'>,
): Promise<LogGeneration | undefined> {
  return (await begunGenerations(log, generationCodec, input.partition)).get(state.frame.logId ?? '');
}

async function commitSwitch(
  { input, state }: RebuiltPartition,
  as: FoldedAs,
  committed: number,
  differences: TierDifferences,
  writer: TransactionalWriter,
  ports: SwitchPorts,
): Promise<Switched> {
  const { logId, rules } = state.frame;
  if (logId === null || rules === null) throw new Error(`${input.topic}-${input.partition} has no rules yet`);
  const now = ports.now();
  // Behind all that was published before, and ahead of all that comes: this generation publishes nothing up to here.
  const version = BigInt(as.epoch) * EPOCH_FACTOR + BigInt(Math.max(0, committed - 1));
  const facts: TierChanged[] = [];
  for (const { brand, person, schemeId, published } of differences.all()) {
    const found = state.stateOf(personKey(brand, person));
    const fact = restatedTier({ brand, person, schemeId, published, state: found }, rules, { now, version });
    if (fact !== null) facts.push(fact);
  }
  const begun = {
    logId,
    partition: input.partition,
    ...as,
    position: committed,
    foldVersion: FOLD_VERSION,
    beganAt: now,
  };
  const epoch = ports.logCodec.encode({ type: 'epochRaised', ...as, logId, arrivedAt: now });
  const records: OutgoingRecord[] = [
    ...factRecords(facts, ports),
    { ...input, key: null, value: epoch },
    { topic: TOPICS.logGenerations, partition: 0, ...ports.generationCodec.encode(begun) },
  ];
  await writer.commit({ records, positions: [] });
  return { position: committed, restated: facts.length };
}

function isPassing(error: unknown): boolean {
  return (
    error instanceof OwnershipLostError ||
    error instanceof CommitAbortedError ||
    error instanceof CommitUnknownError
  );
}
