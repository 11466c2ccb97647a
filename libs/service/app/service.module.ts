import {
  type BeforeApplicationShutdown,
  type DynamicModule,
  Module,
  type OnApplicationShutdown,
  type OnModuleDestroy,
} from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { AppLogger, HealthRegistry, Metrics, ShutdownSequence } from '#runtime';
import { HealthController } from '../health/health.controller.js';
import { MetricsController } from '../metrics/metrics.controller.js';

/** What the chassis gives to every part of an app, by injection. */
export interface Chassis {
  readonly logger: AppLogger;
  readonly health: HealthRegistry;
  readonly metrics: Metrics;
  readonly shutdown: ShutdownSequence;
}

/**
 * Ties the shutdown sequence to the framework's hooks. Nest closes HTTP and microservices between
 * `beforeApplicationShutdown` and `onApplicationShutdown`: consumers have drained before, sinks close after.
 */
class ShutdownHooks implements OnModuleDestroy, BeforeApplicationShutdown, OnApplicationShutdown {
  constructor(private readonly chassis: Chassis) {}

  onModuleDestroy(): void {
    this.chassis.health.startShuttingDown();
  }
  async beforeApplicationShutdown(): Promise<void> {
    await this.chassis.shutdown.runThrough('flush-outbox');
  }
  async onApplicationShutdown(): Promise<void> {
    await this.chassis.shutdown.runThrough('disconnect');
  }
}

@Module({})
export class ServiceModule {
  static forRoot(chassis: Chassis): DynamicModule {
    const parts = [
      { provide: AppLogger, useValue: chassis.logger },
      { provide: HealthRegistry, useValue: chassis.health },
      { provide: Metrics, useValue: chassis.metrics },
      { provide: ShutdownSequence, useValue: chassis.shutdown },
    ];
    return {
      module: ServiceModule,
      global: true,
      // Terminus would log every failed check; who asks reads the body.
      imports: [TerminusModule.forRoot({ logger: false })],
      controllers: [HealthController, MetricsController],
      providers: [...parts, { provide: ShutdownHooks, useFactory: () => new ShutdownHooks(chassis) }],
      exports: parts.map(({ provide }) => provide),
    };
  }
}
