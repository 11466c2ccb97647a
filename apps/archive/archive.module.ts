import { type DynamicModule, Module } from '@nestjs/common';
import { ARCHIVED_TOPICS } from '#pipeline';
import { PLATFORM } from '#service';
import type { Platform } from '#platform';
import { AppLogger, Metrics } from '#runtime';
import { LogServer } from '#transport';
import { ARCHIVE_TRANSPORT, ArchiveController } from './archive.controller.js';
import { ARCHIVE_GROUP, ArchiveService } from './archive.service.js';

export const ARCHIVE_SERVER = Symbol('archive server');

@Module({})
export class ArchiveModule {
  static forRoot(options: { readonly batchRecordsMax: number; readonly batchPaceMs: number }): DynamicModule {
    return {
      module: ArchiveModule,
      controllers: [ArchiveController],
      providers: [
        {
          provide: ArchiveService,
          inject: [PLATFORM, AppLogger, Metrics],
          useFactory: (platform: Platform, logger: AppLogger, metrics: Metrics) =>
            new ArchiveService({
              platform,
              logger: logger.child('archive'),
              metrics: metrics.service('archive'),
            }),
        },
        {
          provide: ARCHIVE_SERVER,
          inject: [PLATFORM, ArchiveService],
          useFactory: (platform: Platform, service: ArchiveService) =>
            new LogServer({
              log: platform.log,
              group: ARCHIVE_GROUP,
              topics: ARCHIVED_TOPICS,
              batchRecordsMax: options.batchRecordsMax,
              paceMs: options.batchPaceMs,
              transport: ARCHIVE_TRANSPORT,
              lifecycle: service,
            }),
        },
      ],
    };
  }
}
