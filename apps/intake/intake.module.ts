import { type DynamicModule, Module } from '@nestjs/common';
import { PLATFORM, type Platform } from '#platform';
import { AppLogger, Metrics, ShutdownSequence } from '#service';
import { LogServer } from '#transport';
import { INTAKE_TRANSPORT, IntakeController } from './intake.controller.js';
import { INTAKE_GROUP, type IntakeOptions, IntakeService } from './intake.service.js';

export const INTAKE_SERVER = Symbol('intake server');

@Module({})
export class IntakeModule {
  static forRoot(options: IntakeOptions & { readonly batchRecordsMax: number }): DynamicModule {
    return {
      module: IntakeModule,
      controllers: [IntakeController],
      providers: [
        {
          provide: IntakeService,
          inject: [PLATFORM, AppLogger, Metrics, ShutdownSequence],
          useFactory: (platform: Platform, logger: AppLogger, metrics: Metrics, shutdown: ShutdownSequence) =>
            new IntakeService(
              {
                platform,
                logger: logger.child('intake'),
                metrics: metrics.service('intake'),
                shutdown,
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
              topics: options.sourceTopics,
              transport: INTAKE_TRANSPORT,
              lifecycle: service,
            }),
        },
      ],
    };
  }
}
