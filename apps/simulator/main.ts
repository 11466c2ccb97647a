import 'reflect-metadata';
import type { INestApplicationContext } from '@nestjs/common';
import { Pseudonymiser } from '#contracts';
import { PlatformModule, preparePlatform, runApp } from '#service';
import { pseudonymKeyFile, simulatorConfig } from './config.js';
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
  prepare: async (app, config, signal) => {
    const platform = await preparePlatform(app, signal);
    const simulator = simulatorOf(app);
    await platform.initialiseLog(simulator.rulesOfNewLog(Date.now()));
    const pseudonymiser = Pseudonymiser.fromKeyFile(pseudonymKeyFile(config));
    await simulator.writeHistory((event) => pseudonymiser.apply(event), signal);
  },
  started: (app) => void simulatorOf(app).startLive(),
});
