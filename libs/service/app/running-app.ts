import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import {
  AppLogger,
  HealthRegistry,
  Metrics,
  type ShutdownReport,
  ShutdownSequence,
  StartupError,
} from '#runtime';
import { NestLogger } from '../logging/nest-logger.js';
import type { AppParts, ServerConfig } from './app-definition.js';
import { type Chassis, ServiceModule } from './service.module.js';

/** An app in this process: created, then started, then stopped; each once. */
export class RunningApp<Config extends ServerConfig> {
  private stopping: Promise<ShutdownReport> | null = null;

  private constructor(
    readonly nest: NestExpressApplication,
    readonly chassis: Chassis,
    private readonly definition: AppParts<Config>,
    private readonly config: Config,
  ) {}

  /** Builds the modules and attaches the consumers; nothing listens and nothing is read yet. */
  static async create<Config extends ServerConfig>(
    definition: AppParts<Config>,
    config: Config,
    logger: AppLogger = AppLogger.create({ service: definition.name, level: config.logLevel }),
  ): Promise<RunningApp<Config>> {
    const chassis: Chassis = {
      logger,
      health: new HealthRegistry({ pollAgeMaxMs: config.pollAgeMaxMs }),
      metrics: new Metrics(),
      shutdown: new ShutdownSequence(logger.child('shutdown')),
    };
    chassis.health.setStartup('starting');
    const root = {
      module: class AppRoot {},
      imports: [ServiceModule.forRoot(chassis), definition.module(config)],
    };
    const nest = await NestFactory.create<NestExpressApplication>(root, {
      logger: new NestLogger(logger.child('nest')),
      abortOnError: false,
      // Nothing here reads a body.
      bodyParser: false,
      // A page that follows the live stream must not hold up the end.
      forceCloseConnections: true,
    });
    nest.disable('x-powered-by');
    const app = new RunningApp(nest, chassis, definition, config);
    app.attachConsumers();
    definition.configure?.(nest, config);
    return app;
  }

  /**
   * Listens, waits for what the app needs, then starts the consumers.
   *
   * @returns the app's address
   * @throws StartupError when the port is taken
   */
  async start(): Promise<string> {
    const { nest, chassis, definition, config } = this;
    await listen(nest, config.host, config.port);
    const url = await nest.getUrl();
    chassis.logger.info(`listening on ${url}`, { url });
    chassis.health.setStartup('waiting for dependencies');
    await definition.prepare?.(nest, config, chassis.shutdown.signal);
    chassis.shutdown.signal.throwIfAborted();
    chassis.health.setStartup('joining');
    await nest.startAllMicroservices();
    chassis.health.setStartup(null);
    chassis.logger.info('started');
    definition.started?.(nest, url);
    return url;
  }

  /** Ends in the order of `SHUTDOWN_PHASES`; a second call waits for the first. */
  stop(): Promise<ShutdownReport> {
    this.stopping ??= this.close();
    return this.stopping;
  }

  private async close(): Promise<ShutdownReport> {
    await this.nest.close();
    return this.chassis.shutdown.runThrough('disconnect');
  }

  private attachConsumers(): void {
    const { health, shutdown } = this.chassis;
    for (const strategy of this.definition.strategies?.(this.nest) ?? []) {
      this.nest.connectMicroservice({ strategy });
      health.registerConsumer(strategy.name, () => strategy.health());
      shutdown.register('drain', strategy.name, () => strategy.close());
    }
  }
}

async function listen(nest: NestExpressApplication, host: string, port: number): Promise<void> {
  try {
    await nest.listen(port, host);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EADDRINUSE') {
      throw new StartupError(
        `Port ${port} of ${host} is in use; set GRAVITY_PORT to another (0 takes a free one)`,
      );
    }
    if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
      throw new StartupError(`${host} is not an address of this machine; set GRAVITY_HOST to one`);
    }
    if (code === 'EACCES') {
      throw new StartupError(
        `Port ${port} needs more rights than this process has; set GRAVITY_PORT to another`,
      );
    }
    throw error;
  }
}
