import { constants } from 'node:os';
import {
  AppLogger,
  ConfigError,
  describeConfig,
  type Environment,
  EXIT,
  loadConfig,
  renderConfig,
  SignalGate,
  StartupError,
} from '#runtime';
import type { AppDefinition, ServerConfig } from './app-definition.js';
import { RunningApp } from './running-app.js';

const CRASH_WATCH_MS = 1_000;

/** Runs an app as the only one of this process, to the end of the process. */
export async function runApp<Config extends ServerConfig>(
  definition: AppDefinition<Config>,
  argv: readonly string[] = process.argv.slice(2),
  env: Environment = process.env,
): Promise<void> {
  const [argument] = argv;
  if (argument === '--help' || argument === '-h') return leave(EXIT.ok, helpOf(definition), process.stdout);
  if (argument !== undefined) {
    return leave(EXIT.usage, `${definition.name} takes no argument ${argument}; see --help`);
  }
  const config = configOf(definition, env);
  if (config === null) return;
  const logger = AppLogger.create({ service: definition.name, level: config.logLevel });
  leaveOnBug(logger);
  let app: RunningApp<Config>;
  try {
    app = await RunningApp.create(definition, config, logger);
  } catch (error) {
    return leaveBecause(error, logger);
  }
  app.chassis.metrics.collectProcess();
  const end = endOnce(app, config.shutdownMs, logger);
  endOnSignals(end, logger);
  try {
    await app.start();
    watchForCrash(app, end, logger);
  } catch (error) {
    // A shutdown that began while we were still starting has its own end.
    if (app.chassis.shutdown.signal.aborted) return;
    const code = reportFailure(error, logger);
    await end(code);
  }
}

type End = (code: number) => Promise<void>;

/** An orderly shutdown of bounded time, then the end of the process; only the first call counts. */
function endOnce<Config extends ServerConfig>(
  app: RunningApp<Config>,
  limitMs: number,
  logger: AppLogger,
): End {
  let ending: Promise<void> | null = null;
  const run = async (code: number): Promise<void> => {
    setTimeout(() => {
      logger.fatal('the shutdown took too long, leaving now', { limitMs });
      process.exit(EXIT.failure);
    }, limitMs).unref();
    const { failures } = await app.stop();
    logger.info('stopped', { failures });
    process.exit(code === EXIT.ok && failures.length > 0 ? EXIT.failure : code);
  };
  return (code) => {
    ending ??= run(code).catch((error: unknown) => {
      logger.fatal('the shutdown failed', { err: error });
      process.exit(EXIT.failure);
    });
    return ending;
  };
}

function endOnSignals(end: End, logger: AppLogger): void {
  const gate = new SignalGate();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      switch (gate.next()) {
        case 'first':
          logger.info(`${signal}: shutting down`);
          return void end(EXIT.ok);
        case 'again':
          logger.warn(`${signal} again: leaving at once`);
          return process.exit(128 + constants.signals[signal]);
        case 'echo':
          return;
      }
    });
  }
}

/** A consumer that has given up for good leaves a process that does nothing: better start anew. */
function watchForCrash<Config extends ServerConfig>(
  app: RunningApp<Config>,
  end: End,
  logger: AppLogger,
): void {
  setInterval(() => {
    const crash = app.chassis.health.crash();
    if (crash === null || app.chassis.shutdown.signal.aborted) return;
    logger.fatal(`${crash.name} has crashed, shutting down`, { err: crash.error });
    void end(EXIT.failure);
  }, CRASH_WATCH_MS).unref();
}

/** After an error that nobody caught the memory cannot be trusted; the stores are made for a sudden end. */
function leaveOnBug(logger: AppLogger): void {
  const leaveNow = (error: unknown): void => {
    logger.fatal('an error that nobody caught, leaving at once', { err: error });
    process.exit(EXIT.failure);
  };
  process.on('uncaughtException', leaveNow);
  process.on('unhandledRejection', leaveNow);
}

function configOf<Config extends ServerConfig>(
  definition: AppDefinition<Config>,
  env: Environment,
): Config | null {
  try {
    return loadConfig(definition.config, env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    leave(EXIT.config, `${definition.name}: ${error.message}\nSee --help for all settings.`);
    return null;
  }
}

function helpOf<Config extends ServerConfig>(definition: AppDefinition<Config>): string {
  const settings = renderConfig(describeConfig(definition.config));
  return `${definition.name}: ${definition.description}\n\nSettings (environment variables):\n${settings}`;
}

function leaveBecause(error: unknown, logger: AppLogger): void {
  process.exit(reportFailure(error, logger));
}

/** @returns the exit code */
function reportFailure(error: unknown, logger: AppLogger): number {
  if (error instanceof StartupError) {
    logger.fatal(error.message);
    return error.exitCode;
  }
  logger.fatal('could not start', { err: error });
  return EXIT.failure;
}

function leave(code: number, text: string, stream: NodeJS.WriteStream = process.stderr): void {
  stream.write(`${text}\n`, () => process.exit(code));
}
