import 'reflect-metadata';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller, Inject, Module, type OnApplicationShutdown, Sse } from '@nestjs/common';
import { NEVER, type Observable, startWith } from 'rxjs';
import { EmbeddedLog } from '#embedded-log';
import { AppLogger, ShutdownSequence } from '#runtime';
import { RunningApp } from '#service';
import { LogServer, OnBatch } from '#transport';

const TRANSPORT = Symbol('spec');
const TOPIC = 'relationship-log';

/** What has happened, in order, and a batch that is held until it is let go. */
class Diary {
  readonly lines: string[] = [];
  letGo: () => void = () => undefined;
  private tellInHand: () => void = () => undefined;
  readonly inHand = new Promise<void>((resolve) => {
    this.tellInHand = resolve;
  });

  async hold(): Promise<void> {
    const released = new Promise<void>((resolve) => {
      this.letGo = resolve;
    });
    this.tellInHand();
    await released;
    this.lines.push('batch finished');
  }
}

@Controller()
class SpecController implements OnApplicationShutdown {
  constructor(@Inject(Diary) private readonly diary: Diary) {}

  @OnBatch(TOPIC, TRANSPORT)
  fold(): Promise<void> {
    return this.diary.hold();
  }

  /** A page that never stops listening. */
  @Sse('live')
  live(): Observable<{ data: string }> {
    return NEVER.pipe(startWith({ data: 'hello' }));
  }

  onApplicationShutdown(): void {
    this.diary.lines.push('framework shuts down');
  }
}

describe('the shutdown of an app with a consumer', () => {
  let directory: string;
  let log: EmbeddedLog;

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'shutdown-order-'));
    log = EmbeddedLog.open({ path: directory });
    const spec = {
      topic: TOPIC,
      partitions: 1,
      compacted: false,
      retentionMs: -1,
      maxMessageBytes: 1_000_000,
    };
    await log.applyTopics([spec], false);
    await log.append([{ topic: TOPIC, partition: 0, key: null, value: Buffer.from('a') }]);
  });

  afterEach(async () => {
    await log.close();
    rmSync(directory, { recursive: true, force: true });
  });

  it('finishes the batch, then checkpoints, flushes, closes sinks and disconnects, with a page still open', async () => {
    const diary = new Diary();
    const note = (line: string) => () => void diary.lines.push(line);
    const app = await startApp(diary, note);
    const page = await fetch(`${app.url}/live`);
    await diary.inHand;

    const stopping = app.stop();
    await Promise.resolve();
    diary.letGo();
    expect(await stopping).toEqual({ failures: [] });
    expect(diary.lines).toEqual([
      'batch finished',
      'partition revoked',
      'checkpoint',
      'flush-outbox',
      'framework shuts down',
      'close-sinks',
      'disconnect',
    ]);
    await expect(page.text()).rejects.toThrow();
    await expect(fetch(`${app.url}/health/live`)).rejects.toThrow();
  });

  /** The chassis as an app uses it, without the signals of the process. */
  async function startApp(diary: Diary, note: (line: string) => () => void) {
    const lifecycle = {
      onAssigned: () => Promise.resolve(null),
      onRevoked: () => Promise.resolve(note('partition revoked')()),
    };
    const server = new LogServer({
      log,
      group: 'spec',
      batchRecordsMax: 10,
      transport: TRANSPORT,
      lifecycle,
    });

    @Module({ controllers: [SpecController], providers: [{ provide: Diary, useValue: diary }] })
    class SpecModule {}

    const logger = AppLogger.create({ service: 'spec', level: 'silent' });
    const config = {
      logLevel: 'silent',
      host: '127.0.0.1',
      port: 0,
      shutdownMs: 10_000,
      pollAgeMaxMs: 60_000,
    } as const;
    const app = await RunningApp.create(
      { name: 'spec', module: () => SpecModule, strategies: () => [server] },
      config,
      logger,
    );
    const shutdown = app.nest.get(ShutdownSequence);
    for (const phase of ['disconnect', 'close-sinks', 'flush-outbox', 'checkpoint'] as const) {
      shutdown.register(phase, 'spec', note(phase));
    }
    const url = await app.start();
    return { url, stop: () => app.stop() };
  }
});
