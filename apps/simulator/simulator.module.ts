import { type DynamicModule, Module } from '@nestjs/common';
import { PLATFORM } from '#service';
import type { Platform } from '#platform';
import { AppLogger, ShutdownSequence } from '#runtime';
import { type SimulatorOptions, SimulatorService } from './simulator.service.js';

@Module({})
export class SimulatorModule {
  static forRoot(options: SimulatorOptions): DynamicModule {
    return {
      module: SimulatorModule,
      providers: [
        {
          provide: SimulatorService,
          inject: [PLATFORM, AppLogger, ShutdownSequence],
          useFactory: (platform: Platform, logger: AppLogger, shutdown: ShutdownSequence) =>
            new SimulatorService(platform, logger.child('simulator'), shutdown, options),
        },
      ],
    };
  }
}
