/** One process folds the log of a run from its start to its end, and nothing happens to it. */
import type { Codecs } from '#contracts';
import {
  BatchFold,
  DueIndex,
  INITIAL_FRAME,
  type FoldFrame,
  type Relationship,
  type TierChanged,
} from '#domain';
import {
  DEFAULT_RELATIONSHIP_SETTINGS,
  RelationshipWorker,
  TOPICS,
  type Log,
  type LogCodec,
  type RecordBatch,
} from '#pipeline';
import { PATIENT, SILENT_OBSERVER } from '../pipeline-world.js';
import { RecordingFigureSink } from '../recording-figure-sink.js';
import type { Broker } from './broker.js';
import { FaultPolicy } from './fault-policy.js';
import { Life } from './life.js';
import { Scheduler } from './scheduler.js';
import { SeededRandom } from './seeded-random.js';
import { SimulatedDisk, SimulatedStateStore } from './simulated-disk.js';

/** The facts of a partition by the pure fold alone. */
export function foldedFacts(batch: RecordBatch, codec: LogCodec): readonly TierChanged[] {
  const states = new Map<string, Relationship>();
  const dues = new DueIndex();
  const facts: TierChanged[] = [];
  let frame: FoldFrame = INITIAL_FRAME;
  for (const { offset, value } of batch.records) {
    const fold = new BatchFold({ load: (key) => states.get(key), dues, frame });
    fold.apply(codec.decode(value), offset);
    const result = fold.result();
    for (const [key, state] of result.states) {
      if (state === null) states.delete(key);
      else states.set(key, state);
    }
    dues.apply(result.dues);
    frame = result.frame;
    facts.push(...result.facts);
  }
  return facts;
}

/** The figure rows and stored states of all partitions, by an undisturbed worker. */
export async function undisturbedFold(
  broker: Broker,
  codecs: Codecs,
  partitions: number,
): Promise<{ readonly sink: RecordingFigureSink; readonly disk: SimulatedDisk }> {
  const sink = new RecordingFigureSink();
  const disk = new SimulatedDisk();
  const random = new SeededRandom(0);
  const scheduler = new Scheduler(random, new FaultPolicy(random, 0, 0, 0, null), 0, () => undefined);
  const worker = new RelationshipWorker(
    {
      log: brokerLog(broker),
      group: 'reference',
      logCodec: codecs.log,
      generationCodec: codecs.generations,
      facts: codecs,
      factPartitions: { tierChanges: partitions, tiers: partitions },
      now: () => 0,
      store: new SimulatedStateStore(disk, scheduler, new Life('reference')),
      storeDirectory: 'disk',
      snapshots: null,
      cachedStatesMax: 1_000,
      sink,
      progress: null,
    },
    { ...DEFAULT_RELATIONSHIP_SETTINGS, drainMs: 0 },
    SILENT_OBSERVER,
  );
  for (let partition = 0; partition < partitions; partition += 1) {
    const input = { topic: TOPICS.relationshipLog, partition };
    await worker.assigned(input);
    await worker.batch(wholePartition(broker, input.topic, partition), PATIENT);
    await worker.flushAll();
    await worker.revoked(input);
  }
  return { sink, disk };
}

export function wholePartition(broker: Broker, topic: string, partition: number): RecordBatch {
  const input = { topic, partition };
  return { ...input, ...broker.read(input, 0, Infinity, Infinity) };
}

function brokerLog(broker: Broker): Log {
  return readOnlyLog({
    ends: (topic) => Promise.resolve(broker.ends(topic)),
    // eslint-disable-next-line @typescript-eslint/require-await -- the port is asynchronous
    async *read(input, from, to = Infinity) {
      yield { ...input, ...broker.read(input, from, to, Infinity) };
    },
  });
}

/** A log as a group that has read nothing sees it, and which nothing comes of. */
export function readOnlyLog(log: Pick<Log, 'ends' | 'read'>): Log {
  const refuse = (): never => {
    throw new Error('the reference only reads');
  };
  return {
    consumer: refuse,
    append: refuse,
    tail: refuse,
    // Nobody writes any more.
    settled: () => Promise.resolve(),
    applyTopics: refuse,
    dropTopic: refuse,
    close: () => Promise.resolve(),
    committed: () => Promise.resolve(null),
    ends: (topic) => log.ends(topic),
    read: (input, from, to) => log.read(input, from, to),
    writer: () =>
      Promise.resolve({
        commit: () => Promise.resolve({ appendedAt: null }),
        close: () => Promise.resolve(),
      }),
  };
}
