import { type DynamicModule, type INestApplicationContext, Module } from '@nestjs/common';
import { AppLogger, ConfigError, EXIT, HealthRegistry, ShutdownSequence, StartupError } from '#runtime';
import { DataDirectoryLockedError, DataDirectoryUnusableError } from '#state-store';
import { Platform, type PlatformConfig } from '#platform';

export const PLATFORM = Symbol('platform');

/** Opens the platform once a process and gives it to every module. */
@Module({})
export class PlatformModule {
  /** @param options.ownsDataDir   the process keeps state in the data folder, so it takes its lock */
  static forRoot(config: PlatformConfig, options: { readonly ownsDataDir: boolean }): DynamicModule {
    return {
      module: PlatformModule,
      global: true,
      providers: [
        {
          provide: PLATFORM,
          inject: [AppLogger, HealthRegistry, ShutdownSequence],
          useFactory: async (logger: AppLogger, health: HealthRegistry, shutdown: ShutdownSequence) => {
            const platform = await openOrExplain(config, options.ownsDataDir, logger.child('platform'));
            for (const dependency of [
              platform.logStatus,
              platform.registryStatus,
              platform.clickhouseStatus,
            ]) {
              health.registerDependency(dependency.name, () => dependency.status());
            }
            shutdown.register('disconnect', 'platform', () => platform.close());
            return platform;
          },
        },
      ],
      exports: [PLATFORM],
    };
  }
}

/** Exit code for a data folder that another process owns. */
export const LOCKED_EXIT_CODE = 3;

async function openOrExplain(
  config: PlatformConfig,
  ownsDataDir: boolean,
  logger: AppLogger,
): Promise<Platform> {
  try {
    return await Platform.open(config, ownsDataDir, logger);
  } catch (error) {
    if (error instanceof DataDirectoryLockedError) throw new StartupError(error.message, LOCKED_EXIT_CODE);
    if (error instanceof DataDirectoryUnusableError) throw new StartupError(error.message, EXIT.config);
    if (error instanceof ConfigError) throw new StartupError(error.message, EXIT.config);
    throw error;
  }
}

/** Waits for what the platform needs; for `prepare` of an app. */
export async function preparePlatform(app: INestApplicationContext, signal: AbortSignal): Promise<Platform> {
  const platform = app.get<Platform>(PLATFORM, { strict: false });
  await platform.ready(signal);
  return platform;
}
