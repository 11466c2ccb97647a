import { type DynamicModule, Module } from '@nestjs/common';
import { PLATFORM } from '#service';
import type { Platform } from '#platform';
import { AppLogger, Metrics, ShutdownSequence } from '#runtime';
import { LogServer } from '#transport';
import { RELATIONSHIP_TRANSPORT, RelationshipController } from './relationship.controller.js';
import { RELATIONSHIP_GROUP, type RelationshipOptions, RelationshipService } from './relationship.service.js';

export const RELATIONSHIP_SERVER = Symbol('relationship server');

@Module({})
export class RelationshipModule {
  static forRoot(
    options: RelationshipOptions & { readonly batchRecordsMax: number; readonly batchPaceMs: number },
  ): DynamicModule {
    return {
      module: RelationshipModule,
      controllers: [RelationshipController],
      providers: [
        {
          provide: RelationshipService,
          inject: [PLATFORM, AppLogger, Metrics, ShutdownSequence],
          useFactory: (platform: Platform, logger: AppLogger, metrics: Metrics, shutdown: ShutdownSequence) =>
            new RelationshipService(
              {
                platform,
                logger: logger.child('relationship'),
                metrics: metrics.service('relationship'),
                shutdown,
              },
              options,
            ),
        },
        {
          provide: RELATIONSHIP_SERVER,
          inject: [PLATFORM, RelationshipService],
          useFactory: (platform: Platform, service: RelationshipService) =>
            new LogServer({
              log: platform.log,
              group: RELATIONSHIP_GROUP,
              batchRecordsMax: options.batchRecordsMax,
              paceMs: options.batchPaceMs,
              transport: RELATIONSHIP_TRANSPORT,
              lifecycle: service,
            }),
        },
      ],
    };
  }
}
