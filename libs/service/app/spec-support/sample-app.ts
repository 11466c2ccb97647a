// An app with every part of the chassis, run as a process by run-app.spec.ts.
import 'reflect-metadata';
import { setTimeout as delay } from 'node:timers/promises';
import { Inject, Module, type OnModuleInit } from '@nestjs/common';
import { z } from 'zod';
import {
  AppLogger,
  Dependency,
  flag,
  HealthRegistry,
  serverSettings,
  ShutdownSequence,
  StartupError,
  text,
} from '#runtime';
import type { ConsumerStrategy } from '../app-definition.js';
import { runApp } from '../run-app.js';

const config = z.object({
  ...serverSettings,
  sampleRegistry: text().optional().describe('Address to wait for before starting'),
  sampleHang: flag().prefault('false').describe('The store never closes'),
  sampleRefuse: flag().prefault('false').describe('Refuse to start'),
});

@Module({})
class SampleModule implements OnModuleInit {
  constructor(
    @Inject(ShutdownSequence) private readonly shutdown: ShutdownSequence,
    @Inject(AppLogger) private readonly logger: AppLogger,
  ) {}

  onModuleInit(): void {
    const step = (phase: 'checkpoint' | 'close-sinks') =>
      this.shutdown.register(phase, 'sample', async () => {
        this.logger.info(`sample ${phase}`);
        if (process.env.GRAVITY_SAMPLE_HANG === 'true') await delay(60_000);
      });
    step('checkpoint');
    step('close-sinks');
  }
}

let crashed: Error | null = null;
const consumer: ConsumerStrategy = {
  name: 'sample-group',
  listen: (callback) => void callback(),
  close: () => Promise.resolve(),
  health: () => ({ joined: true, lastPollAt: Date.now(), assigned: [], crashed }),
};
process.on('SIGUSR2', () => {
  crashed = new Error('told to crash');
});

await runApp({
  name: 'sample',
  description: 'an app for a spec',
  config,
  module: () => SampleModule,
  strategies: () => [consumer],
  async prepare(app, settings, signal) {
    if (settings.sampleRefuse) throw new StartupError('another process owns the data directory');
    const url = settings.sampleRegistry;
    if (url === undefined) return;
    const registry = new Dependency('registry', app.get(AppLogger));
    app.get(HealthRegistry).registerDependency('registry', () => registry.status());
    await registry.waitFor(() => fetch(url), signal);
  },
});
