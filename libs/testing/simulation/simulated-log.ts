import type {
  CommitReceipt,
  ConsumerOptions,
  Log,
  LogConsumer,
  OutgoingRecord,
  PartitionEnds,
  RecordBatch,
  TopicPartition,
  TopicPlanStep,
  TransactionalWriter,
} from '#pipeline';
import type { Broker, Fetched } from './broker.js';
import { SimulatedConsumer } from './simulated-consumer.js';
import type { GroupCoordinator } from './group-coordinator.js';
import type { Life } from './life.js';
import type { Scheduler } from './scheduler.js';
import { SimulatedWriter } from './simulated-writer.js';

export interface LogParts {
  readonly scheduler: Scheduler;
  readonly broker: Broker;
  readonly life: Life;
  groupOf(name: string): GroupCoordinator;
  /** What a handler could not help. */
  onFailure(error: unknown, where: string): void;
}

/** The log port of one process over the simulated broker: every call is a question and an answer. */
export class SimulatedLog implements Log {
  constructor(private readonly parts: LogParts) {}

  consumer(options: ConsumerOptions): LogConsumer {
    return new SimulatedConsumer(this.parts, this.parts.groupOf(options.group), options.batchRecordsMax);
  }

  async writer(group: string, input: TopicPartition): Promise<TransactionalWriter> {
    const { scheduler, broker, life } = this.parts;
    const id = `${group}/${input.topic}/${input.partition}`;
    const epoch = await scheduler.call(life, 'producer', `writer ${id}`, () => broker.takeOver(id));
    return new SimulatedWriter({ scheduler, broker, life, group, id }, epoch);
  }

  async append(records: readonly OutgoingRecord[]): Promise<CommitReceipt> {
    const { scheduler, broker, life } = this.parts;
    const what = `append to ${records[0]?.topic ?? 'nothing'}`;
    return { appendedAt: await scheduler.call(life, 'append', what, () => broker.append(records)) };
  }

  async *read(input: TopicPartition, from: number, to?: number): AsyncIterable<RecordBatch> {
    const { broker } = this.parts;
    const last = to ?? broker.ends(input.topic)[input.partition]?.end ?? 0;
    for (let at = from; at < last;) {
      const fetched = await this.#fetch(input, at, last);
      if (fetched.nextOffset === at) return;
      at = fetched.nextOffset;
      yield { ...input, ...fetched };
    }
  }

  async *tail(input: TopicPartition, from: number, signal: AbortSignal): AsyncIterable<RecordBatch> {
    const { broker } = this.parts;
    for (let at = from; !signal.aborted;) {
      const fetched = await this.#fetch(
        input,
        at,
        Infinity,
        () => signal.aborted || broker.hasMore(input, at),
      );
      at = fetched.nextOffset;
      yield { ...input, ...fetched };
    }
  }

  committed(group: string, input: TopicPartition): Promise<number | null> {
    const { scheduler, broker, life } = this.parts;
    const what = `committed ${group} ${input.topic}-${input.partition}`;
    return scheduler.call(life, 'read', what, () => broker.committed(group, input));
  }

  ends(topic: string): Promise<readonly PartitionEnds[]> {
    const { scheduler, broker, life } = this.parts;
    // Of a topic that no run has; takes no turn, so that named seeds stay the runs that they are named for.
    if (!broker.hasTopic(topic)) return Promise.resolve([]);
    return scheduler.call(life, 'read', `ends ${topic}`, () => broker.ends(topic));
  }

  settled(): Promise<void> {
    return Promise.reject(new Error('no process of a run asks for it'));
  }

  applyTopics(): Promise<readonly TopicPlanStep[]> {
    return Promise.resolve([]);
  }

  dropTopic(): Promise<void> {
    return Promise.reject(new Error('no process of a run drops a topic'));
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #fetch(input: TopicPartition, from: number, to: number, isReady?: () => boolean): Promise<Fetched> {
    const { scheduler, broker, life } = this.parts;
    const what = `read ${input.topic}-${input.partition} from ${from}`;
    const most = scheduler.random.between(1, 60);
    return scheduler.call(life, 'read', what, () => broker.read(input, from, to, most), isReady);
  }
}
