/** The console as an app of its own on an embedded log and engine, with ways to put something into them. */
import { z } from 'zod';
import { ClickHouseFigureSink } from '#clickhouse';
import { defaultRules, personKey, type LogEntry, type TierChanged } from '#domain';
import { partitionOf, TOPICS, type FigureRow } from '#pipeline';
import { PLATFORM, PlatformModule, preparePlatform, RunningApp } from '#service';
import { type Platform, platformSettings } from '#platform';
import { AppLogger, loadConfig, serverSettings } from '#runtime';
import { consoleSettings } from '../config.js';
import { configureConsole } from '../configure-console.js';
import { ConsoleModule } from '../console.module.js';
import { ConsoleService } from '../console.service.js';

const specConfig = z.object({ ...serverSettings, ...platformSettings, ...consoleSettings });
type SpecConfig = z.infer<typeof specConfig>;

export class ConsoleApp {
  private constructor(
    private readonly app: RunningApp<SpecConfig>,
    readonly url: string,
    readonly prepared: Promise<void>,
  ) {}

  /** Listens at once, and gets ready when `mayPrepare` resolves. */
  static async start(
    dataDir: string,
    mayPrepare: Promise<void> = Promise.resolve(),
    env: Readonly<Record<string, string>> = {},
  ): Promise<ConsoleApp> {
    const config = loadConfig(specConfig, {
      ...{
        GRAVITY_DATA_DIR: dataDir,
        GRAVITY_PORT: '0',
        GRAVITY_FIGURES_EVERY: '50ms',
        GRAVITY_PAGES_MAX: '3',
      },
      ...{ LOG_LEVEL: 'silent', GRAVITY_EMBEDDED_PARTITIONS: '2' },
      ...env,
    });
    let isListening: (url: string) => void = () => undefined;
    const listening = new Promise<string>((resolve) => {
      isListening = resolve;
    });
    const logger = AppLogger.create({ service: 'spec', level: 'silent' });
    const app = await RunningApp.create<SpecConfig>(
      {
        name: 'console',
        module: () => ({
          module: class SpecApp {},
          imports: [PlatformModule.forRoot(config, { ownsDataDir: true }), ConsoleModule.forRoot(config)],
        }),
        configure: (nest) => configureConsole(nest, config),
        prepare: async (nest, _config, signal) => {
          isListening(await app.nest.getUrl());
          const platform = await preparePlatform(nest, signal);
          await platform.initialiseLog(defaultRules());
          await mayPrepare;
          await nest.get(ConsoleService, { strict: false }).prepare();
        },
      },
      config,
      logger,
    );
    const prepared = app.start().then(() => undefined);
    return new ConsoleApp(app, await listening, prepared);
  }

  get platform(): Platform {
    return this.app.nest.get<Platform>(PLATFORM, { strict: false });
  }

  async get(
    path: string,
  ): Promise<{ readonly status: number; readonly body: unknown; readonly headers: Headers }> {
    const response = await fetch(new URL(path, this.url));
    return { status: response.status, body: await response.json(), headers: response.headers };
  }

  write(...rows: FigureRow[]): Promise<void> {
    return new ClickHouseFigureSink(this.platform.clickhouse).write(rows);
  }

  async publish(...changes: TierChanged[]): Promise<void> {
    const codec = this.platform.codecs().tierChanged;
    const topic = TOPICS.tierChanges;
    const partitions = await this.platform.partitionsOf(topic);
    await this.platform.log.append(
      changes.map((change) => {
        const { key, value } = codec.encode(change);
        return { topic, partition: partitionOf(key, partitions), key, value };
      }),
    );
  }

  async append(
    ...entries: Exclude<LogEntry, { type: 'tick' | 'rulesSet' | 'epochRaised' | 'credit' }>[]
  ): Promise<void> {
    const topic = TOPICS.relationshipLog;
    const partitions = await this.platform.partitionsOf(topic);
    const codec = this.platform.codecs().log;
    await this.platform.log.append(
      entries.map((entry) => {
        const key = personKey(entry.brand, entry.person);
        return { topic, partition: partitionOf(key, partitions), key, value: codec.encode(entry) };
      }),
    );
  }

  stop(): Promise<{ readonly failures: readonly string[] }> {
    return this.app.stop();
  }
}
