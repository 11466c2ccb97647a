import { type DynamicModule, Module } from '@nestjs/common';
import { PLATFORM } from '#service';
import type { Platform } from '#platform';
import { AppLogger, HealthRegistry, Metrics, ShutdownSequence } from '#runtime';
import { LogServer } from '#transport';
import { breakerSettings, type BreakerConfig } from './breaker-settings.js';
import { INTAKE_TRANSPORT, IntakeController } from './intake.controller.js';
import { INTAKE_GROUP, type IntakeOptions, IntakeService } from './intake.service.js';

export interface IntakeModuleConfig extends Omit<IntakeOptions, 'breaker'>, BreakerConfig {
  readonly batchRecordsMax: number;
  readonly batchPaceMs: number;
}

export const INTAKE_SERVER = Symbol('intake server');

@Module({})
export class IntakeModule {
  static forRoot(config: IntakeModuleConfig): DynamicModule {
    const options = { ...config, breaker: breakerSettings(config) };
    return {
      module: IntakeModule,
      controllers: [IntakeController],
      providers: [
        {
          provide: IntakeService,
          inject: [PLATFORM, AppLogger, Metrics, ShutdownSequence, HealthRegistry],
          useFactory: (
            platform: Platform,
            logger: AppLogger,
            metrics: Metrics,
            shutdown: ShutdownSequence,
            health: HealthRegistry,
          ) =>
            new IntakeService(
              {
                platform,
                logger: logger.child('intake'),
                metrics: metrics.service('intake'),
                shutdown,
                health,
              },
              options,
            ),
        },
        {
          provide: INTAKE_SERVER,
          inject: [PLATFORM, IntakeService],
          useFactory: (platform: Platform, service: IntakeService) =>
            new LogServer({
              log: platform.log,
              group: INTAKE_GROUP,
              batchRecordsMax: options.batchRecordsMax,
              paceMs: options.batchPaceMs,
              topics: options.sourceTopics,
              transport: INTAKE_TRANSPORT,
              lifecycle: service,
            }),
        },
      ],
    };
  }
}
