import 'reflect-metadata';
import { type INestApplicationContext } from '@nestjs/common';
import { PlatformModule, preparePlatform } from '#platform';
import { runApp } from '#service';
import { simulatorConfig } from './config.js';
import { SimulatorModule } from './simulator.module.js';
import { SimulatorService } from './simulator.service.js';

const simulatorOf = (app: INestApplicationContext): SimulatorService =>
  app.get(SimulatorService, { strict: false });

await runApp({
  name: 'simulator',
  description: 'produces a simulated promotion night to the source topics',
  config: simulatorConfig,
  module: (config) => ({
    module: class SimulatorApp {},
    imports: [PlatformModule.forRoot(config, { ownsDataDir: false }), SimulatorModule.forRoot(config)],
  }),
  prepare: async (app, _config, signal) => {
    await preparePlatform(app, signal);
  },
  started: (app) => void simulatorOf(app).startLive(),
});
