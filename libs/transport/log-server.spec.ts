import 'reflect-metadata';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller, Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { EventPattern, MessagePattern } from '@nestjs/microservices';
import { EmbeddedLog, type HandlerFailure } from '#embedded-log';
import { OwnershipLostError, type RecordBatch, type TopicPartition } from '#pipeline';
import { BatchContext } from './batch-context.js';
import { LogServer, type LogServerOptions } from './log-server.js';
import { ANY_TOPIC, OnBatch } from './on-batch.js';

const FOLD = Symbol('fold');
const ARCHIVE = Symbol('archive');
const LOG = 'relationship-log';

/** What the controllers do with a batch, and what they have seen. */
class Script {
  readonly seen: string[] = [];
  readonly batches: RecordBatch[] = [];
  onBatch: (batch: RecordBatch, control: BatchContext) => Promise<void> = () => Promise.resolve();
  private readonly watchers = new Set<() => void>();

  tell(what: string): void {
    this.seen.push(what);
    for (const watcher of this.watchers) watcher();
    this.watchers.clear();
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.watchers.add(resolve));
  }
}

const values = (batch: RecordBatch): string => batch.records.map(({ value }) => value?.toString()).join(',');

@Controller()
class FoldController {
  constructor(@Inject(Script) private readonly script: Script) {}

  @OnBatch(LOG, FOLD)
  async fold(batch: RecordBatch, control: BatchContext): Promise<void> {
    this.script.batches.push(batch);
    this.script.tell(`fold ${batch.topic}/${batch.partition} ${values(batch)}`);
    await this.script.onBatch(batch, control);
    this.script.tell(`folded ${values(batch)}`);
  }
}

@Controller()
class ArchiveController implements OnApplicationShutdown {
  constructor(@Inject(Script) private readonly script: Script) {}

  @OnBatch(ANY_TOPIC, ARCHIVE)
  archive(batch: RecordBatch, control: BatchContext): void {
    this.script.tell(`archive ${batch.topic} ${values(batch)} ${control.getArgByIndex(0) === batch}`);
  }

  onApplicationShutdown(): void {
    this.script.tell('sinks close');
  }
}

describe('LogServer in a Nest application', () => {
  let directory: string;
  let log: EmbeddedLog;
  let script: Script;
  let failures: HandlerFailure[];
  let close: () => Promise<void>;

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'log-server-'));
    failures = [];
    log = EmbeddedLog.open({
      path: directory,
      backoffMs: { first: 1, most: 1 },
      onHandlerFailure: (failure) => failures.push(failure),
    });
    const topic = (name: string, partitions: number) => ({
      topic: name,
      partitions,
      compacted: false,
      retentionMs: -1,
      maxMessageBytes: 1_000_000,
    });
    await log.applyTopics([topic(LOG, 2), topic('dead-letters', 1)], false);
    script = new Script();
    close = () => Promise.resolve();
  });

  afterEach(async () => {
    await close();
    await log.close();
    rmSync(directory, { recursive: true, force: true });
  });

  const server = (options: Partial<LogServerOptions> = {}) =>
    new LogServer({ log, group: 'relationship', batchRecordsMax: 100, transport: FOLD, ...options });

  const append = (partition: number, ...texts: string[]) =>
    log.append(texts.map((text) => ({ topic: LOG, partition, key: null, value: Buffer.from(text) })));

  /** A real application with one microservice per server, closed after the test. */
  async function start(
    servers: readonly LogServer[],
    controllers: readonly (new (script: Script) => object)[],
  ) {
    @Module({ controllers: [...controllers], providers: [{ provide: Script, useValue: script }] })
    class SpecModule {}
    const app = await NestFactory.create(SpecModule, { logger: false, abortOnError: false });
    close = () => app.close();
    for (const strategy of servers) app.connectMicroservice({ strategy });
    await app.init();
    await app.startAllMicroservices();
    return app;
  }

  it('hands whole batches to the handler of the topic, with a control', async () => {
    let stale: boolean | null = null;
    script.onBatch = async (_, control) => {
      await control.heartbeat();
      stale = control.isStale();
    };
    await append(1, 'a', 'b', 'c');
    await start([server()], [FoldController]);
    await script.until(() => script.seen.includes('folded a,b,c'));
    expect(script.batches).toEqual([
      expect.objectContaining({ topic: LOG, partition: 1, nextOffset: 3, endOffset: 3 }),
    ]);
    expect(stale).toBe(false);
    await append(0, 'd');
    await script.until(() => script.seen.includes('folded d'));
  });

  it('reports its health and its status', async () => {
    const consumer = server();
    expect(consumer.health()).toMatchObject({ joined: false, lastPollAt: 0, crashed: null });
    const states: string[] = [];
    consumer.status.subscribe((state) => states.push(state));
    const app = await start([consumer], [FoldController]);
    expect(consumer.health()).toMatchObject({ joined: true, crashed: null });
    expect(consumer.health().assigned).toHaveLength(2);
    expect(consumer.unwrap()).toBeDefined();
    await app.close();
    close = () => Promise.resolve();
    expect(consumer.health().joined).toBe(false);
    expect(states).toEqual(['joined', 'stopped']);
  });

  it('offers a batch again when its handler has failed', async () => {
    let tries = 0;
    script.onBatch = () => (++tries < 3 ? Promise.reject(new Error(`try ${tries}`)) : Promise.resolve());
    await append(0, 'a');
    await start([server()], [FoldController]);
    await script.until(() => script.seen.includes('folded a'));
    expect(failures.map(({ error }) => error.message)).toEqual(['try 1', 'try 2']);
  });

  it('hands the error on as it is: the same object, of its own class', async () => {
    const lost = new OwnershipLostError('fenced');
    let tries = 0;
    script.onBatch = () => (++tries === 1 ? Promise.reject(lost) : Promise.resolve());
    await append(0, 'a');
    await start([server()], [FoldController]);
    await script.until(() => script.seen.includes('folded a'));
    expect(failures[0]?.error).toBe(lost);
    expect(failures[0]?.error).toBeInstanceOf(OwnershipLostError);
  });

  it('says how to keep the error when a handler lacks the filter', async () => {
    @Controller()
    class Unfiltered {
      constructor(@Inject(Script) private readonly script: Script) {}

      @EventPattern<string>(LOG, FOLD)
      fold(): void {
        this.script.tell('fold');
        if (failures.length === 0) throw new Error('what it was');
      }
    }
    await append(0, 'a');
    await start([server()], [Unfiltered]);
    await script.until(() => script.seen.length >= 2);
    expect(failures[0]?.error.message).toContain('@OnBatch instead of @EventPattern');
  });

  it('starts where the lifecycle says, and tells it when the partition leaves', async () => {
    const named = ({ topic, partition }: TopicPartition) => `${topic}/${partition}`;
    const lifecycle = {
      onAssigned: (partition: TopicPartition) => {
        script.tell(`assigned ${named(partition)}`);
        return Promise.resolve(partition.partition === 0 ? 2 : null);
      },
      onRevoked: (partition: TopicPartition) => {
        script.tell(`revoked ${named(partition)}`);
        return Promise.resolve();
      },
    };
    await append(0, 'a', 'b', 'c');
    await append(1, 'x');
    const app = await start([server({ lifecycle })], [FoldController]);
    await script.until(() => script.seen.includes('folded c') && script.seen.includes('folded x'));
    await app.close();
    close = () => Promise.resolve();
    expect(script.seen).not.toContain('folded a,b,c');
    expect(script.seen.indexOf(`assigned ${LOG}/0`)).toBeLessThan(script.seen.indexOf(`fold ${LOG}/0 c`));
    expect(script.seen).toEqual(expect.arrayContaining([`revoked ${LOG}/0`, `revoked ${LOG}/1`]));
  });

  it('lets several services read in one process, each with its group and its handlers', async () => {
    await append(0, 'a');
    await log.append([{ topic: 'dead-letters', partition: 0, key: null, value: Buffer.from('d') }]);
    const archive = server({ transport: ARCHIVE, group: 'archive', topics: [LOG, 'dead-letters'] });
    await start([server(), archive], [FoldController, ArchiveController]);
    await script.until(() => script.seen.length >= 4);
    expect([...script.seen].sort()).toEqual([
      'archive dead-letters d true',
      `archive ${LOG} a true`,
      `fold ${LOG}/0 a`,
      'folded a',
    ]);
  });

  it('finishes the batch in hand before the sinks close, and takes no other', async () => {
    const finish: (() => void)[] = [];
    script.onBatch = (_, control) =>
      new Promise((resolve) => {
        finish.push(() => {
          script.tell(`stale ${control.isStale()}`);
          resolve();
        });
        script.tell('in hand');
      });
    await append(0, 'a', 'b');
    const consumer = server({ batchRecordsMax: 1 });
    const app = await start([consumer], [FoldController, ArchiveController]);
    await script.until(() => script.seen.includes('in hand'));
    const closing = app.close().then(() => script.tell('closed'));
    close = () => Promise.resolve();
    // By now a close that did not wait would have come through.
    while (consumer.health().joined) await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => setImmediate(resolve));
    expect(script.seen).not.toContain('sinks close');
    finish[0]?.();
    await closing;
    expect(script.seen).toEqual([
      `fold ${LOG}/0 a`,
      'in hand',
      'stale true',
      'folded a',
      'sinks close',
      'closed',
    ]);
  });

  it('refuses to start with handlers that cannot work', async () => {
    @Controller()
    class Twice {
      @OnBatch(LOG, FOLD)
      one(): void {}
      @OnBatch(LOG, FOLD)
      two(): void {}
    }
    await expect(start([server()], [Twice])).rejects.toThrow(`Two methods handle ${LOG}`);

    @Controller()
    class Answering {
      @MessagePattern(LOG, FOLD)
      answer(): void {}
    }
    await expect(start([server()], [Answering])).rejects.toThrow('a log has no answers');

    await expect(start([server({ transport: ARCHIVE })], [FoldController])).rejects.toThrow(
      'Nothing to read',
    );
    await expect(start([server({ topics: [LOG, 'other'] })], [FoldController])).rejects.toThrow(
      'No method handles other',
    );
  });

  it('passes on that the log refuses the topic', async () => {
    @Controller()
    class Elsewhere {
      @OnBatch('no-such-topic', FOLD)
      fold(): void {}
    }
    await expect(start([server()], [Elsewhere])).rejects.toThrow('no-such-topic');
  });
});
