/** Copies the relationship log into a topic with another number of partitions, and makes that the log. */
import type { EpochRaised } from '#domain';
import { LogCorruptError, type LogCodec } from './codecs.js';
import { commitTransaction } from './commit-transaction.js';
import { appointLogTopic, currentLogTopic, generationTopic } from './log-topic.js';
import type { Log, OutgoingRecord, PartitionEnds, TopicSpec, TransactionalWriter } from './log.js';
import { mergePartitions, type MergeEntry } from './merge-partitions.js';
import { NewPartitions } from './new-partitions.js';
import { assertPublished, RepartitionRefused, rulesOf, surveyLog, type LogSurvey } from './survey-log.js';

export interface RepartitionPorts {
  /** The log itself, in which every topic has its own name. */
  readonly log: Log;
  readonly codec: LogCodec;
  /** Whose position says what was published. */
  readonly group: string;
  /** @throws RepartitionRefused   somebody is using the log */
  readonly assertIdle: () => Promise<void>;
  /**
   * Told of the copy before it becomes the log, and before anybody can fold it. Where it fails the old one stays the
   * log; it may be told of a copy that never becomes the log.
   */
  readonly announce: (copy: LogCopy) => Promise<void>;
  readonly now: () => number;
}

export interface LogCopy extends Pick<EpochRaised, 'epoch' | 'generation' | 'logId'> {
  /** Up to these offsets all of it was published before, by partition. */
  readonly ends: readonly PartitionEnds[];
  /** Heartbeats are of windows: without any, no row says how far the fold has got. */
  readonly hasWindows: boolean;
}

export interface RepartitionProgress {
  readonly step: 'read' | 'copied';
  readonly records: number;
  readonly total: number;
}

export interface RepartitionPlan {
  /** The log as it lies now. */
  readonly from: string;
  readonly survey: LogSurvey;
  readonly partitions: number;
}

export interface Repartitioned {
  readonly topic: string;
  readonly records: number;
  readonly epoch: number;
  readonly generation: number;
  readonly logId: string;
}

export interface RepartitionTarget {
  readonly logId: string;
  /** The largest that any rows have: a rebuild may have begun generations which the log does not know of. */
  readonly generationUsed: number;
  readonly specOf: (topic: string, partitions: number) => TopicSpec;
}

/** A transaction must be over long before it times out. */
const CHUNK_RECORDS = 5_000;
const CHUNK_BYTES = 2 * 1_024 * 1_024;
const COPY_GROUP = 'gravity-repartition';

/**
 * Reads the log and says what a repartition would do.
 * @throws RepartitionRefused       it cannot be done now
 * @throws LogNotInitialisedError   there is no log
 * @throws ForeignLogError          records of it are gone
 */
export async function planRepartition(
  ports: RepartitionPorts,
  partitions: number,
  onProgress: (progress: RepartitionProgress) => void = () => undefined,
): Promise<RepartitionPlan> {
  const { log, codec, group } = ports;
  const from = await currentLogTopic(log);
  const now = (await log.ends(from)).length;
  if (now === partitions)
    throw new RepartitionRefused(`the log has ${partitions} partitions already (${from})`);
  await ports.assertIdle();
  if (now > 0) await log.settled(from);
  const survey = await surveyLog(log, codec, from, partitions, ({ records, total }) =>
    onProgress({ step: 'read', records, total }),
  );
  await assertPublished(log, from, group, survey);
  return { from, survey, partitions };
}

/**
 * Copies the log as planned. Until it is done, and when it is broken off, the old one stays the log; what a copy that
 * was broken off has left is deleted by the next.
 *
 * @throws RepartitionRefused   the old log has moved meanwhile: nothing has changed
 */
export async function repartition(
  ports: RepartitionPorts,
  plan: RepartitionPlan,
  target: RepartitionTarget,
  onProgress: (progress: RepartitionProgress) => void = () => undefined,
): Promise<Repartitioned> {
  const { log } = ports;
  const { survey, partitions } = plan;
  const generation = Math.max(survey.generation, target.generationUsed) + 1;
  const topic = await freeTopic(log, generation);
  await log.applyTopics([target.specOf(topic, partitions)], false);
  const head = { epoch: survey.epoch + 1, generation, logId: target.logId };
  const records = await copy(ports, plan, topic, head, onProgress);
  await takeOverPosition(ports, topic);
  await assertUnmoved(ports, plan);
  const hasWindows = rulesOf(survey.partitions[0]?.rules ?? null).windows.length > 0;
  await ports.announce({ ...head, ends: await log.ends(topic), hasWindows });
  await appointLogTopic(log, topic);
  return { topic, records, ...head };
}

/** Deletes what copies that were broken off have left. On a cluster their names may stay taken, so they are not used again. */
async function freeTopic(log: Log, generation: number): Promise<string> {
  for (let attempt = 1; ; attempt += 1) {
    const topic = generationTopic(generation, attempt);
    if ((await log.ends(topic)).length === 0) return topic;
    await log.dropTopic(topic);
  }
}

async function copy(
  { log, codec, now }: RepartitionPorts,
  { from, survey, partitions }: RepartitionPlan,
  topic: string,
  head: Pick<EpochRaised, 'epoch' | 'generation' | 'logId'>,
  onProgress: (progress: RepartitionProgress) => void,
): Promise<number> {
  const writer = await log.writer(COPY_GROUP, { topic, partition: 0 });
  try {
    const chunks = new ChunkWriter(log, writer, topic);
    const target = new NewPartitions(topic, partitions, codec, survey);
    for (const record of target.begin({ type: 'epochRaised', ...head, arrivedAt: now() })) chunks.add(record);
    let read = 0;
    const batches = survey.partitions.map(({ partition, end }) =>
      entriesOf(log, codec, { topic: from, partition }, end, (count) => (read += count)),
    );
    for await (const one of mergePartitions(batches)) {
      for (const record of target.recordsOf(one)) {
        chunks.add(record);
        if (!chunks.isFull) continue;
        await chunks.commit();
        onProgress({ step: 'copied', records: read, total: survey.records });
      }
    }
    await chunks.commit();
    return chunks.records;
  } finally {
    await writer.close();
  }
}

async function* entriesOf(
  log: Log,
  codec: LogCodec,
  input: { readonly topic: string; readonly partition: number },
  end: number,
  onRead: (count: number) => void,
): AsyncGenerator<readonly MergeEntry[]> {
  for await (const { records } of log.read(input, 0, end)) {
    yield records.map(({ value }) => {
      if (value === null)
        throw new LogCorruptError(`${input.topic}-${input.partition} has a record without value`);
      return { entry: codec.decode(value), value };
    });
    onRead(records.length);
  }
}

/** Transactions of some thousand records. */
class ChunkWriter {
  records = 0;
  #chunk: OutgoingRecord[] = [];
  #bytes = 0;
  #chunks = 0;

  constructor(
    private readonly log: Log,
    private readonly writer: TransactionalWriter,
    private readonly topic: string,
  ) {}

  get isFull(): boolean {
    return this.#chunk.length >= CHUNK_RECORDS || this.#bytes >= CHUNK_BYTES;
  }

  add(record: OutgoingRecord): void {
    this.#chunk.push(record);
    this.#bytes += record.value?.length ?? 0;
  }

  async commit(): Promise<void> {
    if (this.#chunk.length === 0) return;
    this.#chunks += 1;
    // The number of the chunk as a position: where an outcome is not known, it says whether it went through.
    const position = { topic: this.topic, partition: 0, offset: this.#chunks };
    await commitTransaction(this.log, this.writer, COPY_GROUP, this.#chunk, position);
    this.records += this.#chunk.length;
    this.#chunk = [];
    this.#bytes = 0;
  }
}

/** What the copy says was published before: its owners fold it in silence. */
async function takeOverPosition({ log, group }: RepartitionPorts, topic: string): Promise<void> {
  await log.settled(topic);
  for (const { partition, end } of await log.ends(topic)) {
    const position = { topic, partition, offset: end };
    const writer = await log.writer(group, position);
    try {
      await commitTransaction(log, writer, group, [], position);
    } finally {
      await writer.close();
    }
  }
}

/** @throws RepartitionRefused */
async function assertUnmoved(ports: RepartitionPorts, { from, survey }: RepartitionPlan): Promise<void> {
  await ports.assertIdle();
  const ends = await ports.log.ends(from);
  const moved = survey.partitions.find(({ partition, end }) => ends[partition]?.end !== end);
  if (moved === undefined) return;
  throw new RepartitionRefused(
    `${from}-${moved.partition} has grown while it was copied: somebody still writes to the log. It stays as it is; ` +
      'stop intake, relationship and archive, and begin again',
  );
}
