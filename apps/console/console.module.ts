import { type DynamicModule, Module } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { PLATFORM } from '#service';
import type { Platform } from '#platform';
import { AppLogger, HealthRegistry, Metrics, ShutdownSequence } from '#runtime';
import { BreakdownsController } from './api/breakdowns.controller.js';
import { CatalogueController } from './api/catalogue.controller.js';
import { EventsController } from './api/events.controller.js';
import { FiguresController } from './api/figures.controller.js';
import { LateEventsController } from './api/late-events.controller.js';
import { PersonsController } from './api/persons.controller.js';
import { ReconciliationController } from './api/reconciliation.controller.js';
import { RestatementsController } from './api/restatements.controller.js';
import { ProblemFilter } from './http/problem.filter.js';
import { StatusController } from './api/status.controller.js';
import { TierFlowsController } from './api/tier-flows.controller.js';
import { TierChangesController } from './api/tier-changes.controller.js';
import { TiersController } from './api/tiers.controller.js';
import { WhatIfController } from './api/whatif.controller.js';
import type { ConsoleOptions } from './config.js';
import { ConsoleService } from './console.service.js';

@Module({})
export class ConsoleModule {
  static forRoot(options: ConsoleOptions): DynamicModule {
    return {
      module: ConsoleModule,
      controllers: [
        FiguresController,
        BreakdownsController,
        CatalogueController,
        TierChangesController,
        TierFlowsController,
        PersonsController,
        LateEventsController,
        TiersController,
        WhatIfController,
        ReconciliationController,
        RestatementsController,
        StatusController,
        EventsController,
      ],
      providers: [
        { provide: APP_FILTER, useClass: ProblemFilter },
        {
          provide: ConsoleService,
          inject: [PLATFORM, AppLogger, HealthRegistry, ShutdownSequence, Metrics],
          useFactory: (
            platform: Platform,
            logger: AppLogger,
            health: HealthRegistry,
            shutdown: ShutdownSequence,
            metrics: Metrics,
          ) =>
            new ConsoleService(
              {
                ...{ platform, logger: logger.child('console'), health, shutdown },
                metrics: metrics.service('console'),
              },
              options,
            ),
        },
      ],
    };
  }
}
