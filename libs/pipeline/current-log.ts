/** The log port, in which `relationship-log` is the topic that the relationship log lies in now. */
import { currentLogTopic } from './log-topic.js';
import type {
  Assignment,
  BatchControl,
  CommitReceipt,
  ConsumerHandler,
  ConsumerHealth,
  ConsumerOptions,
  Log,
  LogConsumer,
  OutgoingRecord,
  PartitionEnds,
  Position,
  RecordBatch,
  TopicPartition,
  TopicPlanStep,
  TopicSpec,
  TransactionalWriter,
} from './log.js';
import { TOPICS } from './topics.js';

const LOGICAL = TOPICS.relationshipLog;

/** Which topic that is is asked once, by the first call that has to know. */
export class CurrentLog implements Log {
  #names: Promise<Names> | null = null;

  constructor(private readonly inner: Log) {}

  consumer(options: ConsumerOptions): LogConsumer {
    return new NamedConsumer(this.inner, options, () => this.#known());
  }

  async writer(group: string, input: TopicPartition): Promise<TransactionalWriter> {
    const names = await this.#known();
    const writer = await this.inner.writer(group, names.inside(input));
    if (names.areSame) return writer;
    return {
      commit: ({ records, positions }) =>
        writer.commit({ records: names.allInside(records), positions: names.allInside<Position>(positions) }),
      close: () => writer.close(),
    };
  }

  async append(records: readonly OutgoingRecord[]): Promise<CommitReceipt> {
    return this.inner.append((await this.#known()).allInside(records));
  }

  async *read(input: TopicPartition, from: number, to?: number): AsyncGenerator<RecordBatch> {
    const names = await this.#known();
    for await (const batch of this.inner.read(names.inside(input), from, to)) yield names.outside(batch);
  }

  async *tail(input: TopicPartition, from: number, signal: AbortSignal): AsyncGenerator<RecordBatch> {
    const names = await this.#known();
    for await (const batch of this.inner.tail(names.inside(input), from, signal)) yield names.outside(batch);
  }

  async committed(group: string, input: TopicPartition): Promise<number | null> {
    return this.inner.committed(group, (await this.#known()).inside(input));
  }

  async ends(topic: string): Promise<readonly PartitionEnds[]> {
    return this.inner.ends((await this.#known()).nameInside(topic));
  }

  async settled(topic: string): Promise<void> {
    await this.inner.settled((await this.#known()).nameInside(topic));
  }

  /** A log that was repartitioned has the partitions that it was given then, whatever is asked for. */
  async applyTopics(specs: readonly TopicSpec[], dryRun: boolean): Promise<readonly TopicPlanStep[]> {
    const names = await this.#known();
    if (names.areSame) return this.inner.applyTopics(specs, dryRun);
    const { length: partitions } = await this.inner.ends(names.physical);
    const inside = specs.map((spec) =>
      spec.topic === LOGICAL ? { ...names.inside(spec), partitions } : spec,
    );
    return this.inner.applyTopics(inside, dryRun);
  }

  dropTopic(topic: string): Promise<void> {
    return this.inner.dropTopic(topic);
  }

  close(): Promise<void> {
    return this.inner.close();
  }

  #known(): Promise<Names> {
    if (this.#names !== null) return this.#names;
    const asked = currentLogTopic(this.inner).then((topic) => new Names(topic));
    this.#names = asked;
    // Nobody answered: the next call asks again.
    asked.catch(() => {
      if (this.#names === asked) this.#names = null;
    });
    return asked;
  }
}

/** Logical names outside, physical ones inside. */
class Names {
  readonly areSame: boolean;

  constructor(readonly physical: string) {
    this.areSame = physical === LOGICAL;
  }

  nameInside(topic: string): string {
    return topic === LOGICAL ? this.physical : topic;
  }

  inside<T extends { readonly topic: string }>(one: T): T {
    return this.areSame || one.topic !== LOGICAL ? one : { ...one, topic: this.physical };
  }

  allInside<T extends { readonly topic: string }>(all: readonly T[]): readonly T[] {
    return this.areSame ? all : all.map((one) => this.inside(one));
  }

  outside<T extends { readonly topic: string }>(one: T): T {
    return this.areSame || one.topic !== this.physical ? one : { ...one, topic: LOGICAL };
  }
}

/** Its consumer is made when it starts: only then is it known which topics it is of. */
class NamedConsumer implements LogConsumer {
  #inner: { readonly consumer: LogConsumer; readonly names: Names } | null = null;
  #isStopped = false;

  constructor(
    private readonly log: Log,
    private readonly options: ConsumerOptions,
    private readonly known: () => Promise<Names>,
  ) {}

  async start(handler: ConsumerHandler): Promise<void> {
    const names = await this.known();
    if (this.#isStopped)
      throw new Error(`the consumer of ${this.options.group} was stopped before it had joined`);
    const { topics, storedStates } = this.options;
    const consumer = this.log.consumer({
      ...this.options,
      topics: topics.map((topic) => names.nameInside(topic)),
      ...(storedStates === undefined ? {} : { storedStates: () => names.allInside(storedStates()) }),
    });
    this.#inner = { consumer, names };
    await consumer.start(names.areSame ? handler : new NamedHandler(handler, names));
  }

  pause(partition: TopicPartition): void {
    this.#inner?.consumer.pause(this.#inner.names.inside(partition));
  }

  resume(partition: TopicPartition): void {
    this.#inner?.consumer.resume(this.#inner.names.inside(partition));
  }

  health(): ConsumerHealth {
    if (this.#inner === null) return { joined: false, lastPollAt: 0, assigned: [], crashed: null };
    const { consumer, names } = this.#inner;
    const health = consumer.health();
    return { ...health, assigned: health.assigned.map((one) => names.outside(one)) };
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#inner?.consumer.stop();
  }
}

class NamedHandler implements ConsumerHandler {
  constructor(
    private readonly handler: ConsumerHandler,
    private readonly names: Names,
  ) {}

  assigned(partition: TopicPartition, assignment: Assignment): Promise<number | null> {
    return this.handler.assigned(this.names.outside(partition), assignment);
  }

  batch(batch: RecordBatch, control: BatchControl): Promise<void> {
    return this.handler.batch(this.names.outside(batch), control);
  }

  revoked(partition: TopicPartition): Promise<void> {
    return this.handler.revoked(this.names.outside(partition));
  }
}
