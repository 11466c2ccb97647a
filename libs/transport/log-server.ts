import { type CustomTransportStrategy, Server } from '@nestjs/microservices';
import { isObservable, lastValueFrom } from 'rxjs';
import type {
  BatchControl,
  ConsumerHealth,
  Log,
  LogConsumer,
  RecordBatch,
  StoredState,
  TopicPartition,
} from '#pipeline';
import { BatchContext } from './batch-context.js';
import { ANY_TOPIC } from './on-batch.js';
import type { PartitionLifecycle } from './partition-lifecycle.js';

export interface LogServerOptions {
  readonly log: Log;
  readonly group: string;
  /** Records in one batch at most. */
  readonly batchRecordsMax: number;
  /** `ConsumerOptions.paceMs`. */
  readonly paceMs?: number;
  /** Only handlers of this transport are called: `@OnBatch(topic, transport)`. */
  readonly transport: symbol;
  /** What to read; by default the topics that have a handler. Needed for a handler of `ANY_TOPIC`. */
  readonly topics?: readonly string[];
  readonly lifecycle?: PartitionLifecycle;
}

/** Nest's wrapping of a method: may answer with a stream, whose error is the method's. */
type BatchHandler = (batch: RecordBatch, context: BatchContext) => Promise<unknown>;

/** The changes that `LogServer.status` tells of. */
export type LogServerStatus = 'joined' | 'stopped';

/**
 * A Nest transport strategy over the log port, by the batch: the same microservice reads real Kafka or the embedded
 * log. One instance per microservice; several, each with a transport of its own, may live in one hybrid app.
 *
 * Batches of one partition come one after the other. `close()` stops polling, lets the batches in hand finish,
 * calls `onRevoked` of the lifecycle for each partition and leaves the group.
 */
export class LogServer extends Server<never, LogServerStatus> implements CustomTransportStrategy {
  override readonly propagatesEventHandlerErrors = true;
  private readonly handlers = new Map<string, BatchHandler>();
  private consumer: LogConsumer | null = null;
  private starting: Promise<void> = Promise.resolve();
  private closing: Promise<void> | null = null;

  constructor(private readonly options: LogServerOptions) {
    super();
    this.setTransportId(options.transport);
  }

  /** The group, which tells the consumers of one app apart. */
  get name(): string {
    return this.options.group;
  }

  /**
   * Joins the group.
   *
   * @param callback  called once joined, or with the error that kept it from joining
   */
  async listen(callback: (error?: unknown) => void): Promise<void> {
    try {
      if (this.closing !== null) throw new Error(`The consumer of ${this.name} has been closed`);
      this.starting = this.start();
      await this.starting;
      this._status$.next('joined');
      callback();
    } catch (error) {
      callback(error);
    }
  }

  close(): Promise<void> {
    this.closing ??= this.stop();
    return this.closing;
  }

  health(): ConsumerHealth {
    return this.consumer?.health() ?? { joined: false, lastPollAt: 0, assigned: [], crashed: null };
  }

  /** For backpressure: no batches of this partition until `resume`; the group is kept. */
  pause(partition: TopicPartition): void {
    this.consumer?.pause(partition);
  }

  resume(partition: TopicPartition): void {
    this.consumer?.resume(partition);
  }

  /** The server has no events of its own; `status` tells when it joins and stops. */
  override on(event: never): never {
    throw new Error(`LogServer has no event ${String(event)}; subscribe to its status`);
  }

  /** The consumer, once it listens. */
  override unwrap<Unwrapped = LogConsumer>(): Unwrapped;
  override unwrap(): LogConsumer {
    if (this.consumer === null) throw new Error(`The consumer of ${this.name} does not listen yet`);
    return this.consumer;
  }

  private async start(): Promise<void> {
    this.collectHandlers();
    const { log, group, batchRecordsMax, paceMs = 0, lifecycle } = this.options;
    const storedStates = (): readonly StoredState[] => lifecycle?.storedStates?.() ?? [];
    this.consumer = log.consumer({ group, topics: this.topics(), batchRecordsMax, paceMs, storedStates });
    await this.consumer.start({
      assigned: (partition, assignment) =>
        lifecycle?.onAssigned(partition, assignment) ?? Promise.resolve(null),
      batch: (batch, control) => this.handleBatch(batch, control),
      revoked: (partition) => lifecycle?.onRevoked(partition) ?? Promise.resolve(),
    });
  }

  private async stop(): Promise<void> {
    await this.consumer?.stop();
    // Why it could not join is told by listen.
    await this.starting.catch(() => undefined);
    this._status$.next('stopped');
  }

  /** @throws when a topic has two handlers (Nest would run them side by side) or has none */
  private collectHandlers(): void {
    for (const [pattern, handler] of this.getHandlers()) {
      if (handler.isEventHandler !== true) {
        throw new Error(
          `${pattern} of ${this.name} is answered by @MessagePattern: a log has no answers, use @OnBatch`,
        );
      }
      if (handler.next !== undefined) {
        throw new Error(`Two methods handle ${pattern} for ${this.name}: a batch has one handler`);
      }
      this.handlers.set(pattern, (batch, context) => handler(batch, context));
    }
    for (const topic of this.topics()) this.handlerOf(topic);
  }

  private topics(): readonly string[] {
    const topics =
      this.options.topics ?? [...this.handlers.keys()].filter((pattern) => pattern !== ANY_TOPIC);
    if (topics.length === 0) throw new Error(`Nothing to read for ${this.name}: no topic has a handler`);
    return topics;
  }

  private handlerOf(topic: string): BatchHandler {
    const handler = this.handlers.get(topic) ?? this.handlers.get(ANY_TOPIC);
    if (handler === undefined) throw new Error(`No method handles ${topic} for ${this.name}`);
    return handler;
  }

  /** Runs the handler inside the framework's hooks, and settles as the handler does. */
  private handleBatch(batch: RecordBatch, control: BatchControl): Promise<void> {
    const handler = this.handlerOf(batch.topic);
    const context = new BatchContext(batch, control);
    return new Promise((resolve, reject) => {
      this.runWithProcessingHooks(context, async (runEndHook) => {
        try {
          const answer = await handler(batch, context);
          if (isObservable(answer)) await lastValueFrom(answer, { defaultValue: undefined });
          resolve();
        } catch (error) {
          reject(intact(error, batch));
        } finally {
          runEndHook();
        }
      });
    });
  }
}

/** Nest answers with a plain object when a handler lacks our filter; what it was is lost, so say how to keep it. */
function intact(error: unknown, batch: RecordBatch): Error {
  if (error instanceof Error) return error;
  const text = JSON.stringify(error);
  return new Error(
    `The handler of ${batch.topic} failed with ${text}; @OnBatch instead of @EventPattern tells why`,
  );
}
