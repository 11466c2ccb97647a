import 'reflect-metadata';
import type { LogServer } from '#transport';
import { PlatformModule, preparePlatform, runApp } from '#service';
import { intakeConfig } from './config.js';
import { INTAKE_SERVER, IntakeModule } from './intake.module.js';
import { IntakeService } from './intake.service.js';

await runApp({
  name: 'intake',
  description: 'checks every touchpoint once and appends it to the relationship log',
  config: intakeConfig,
  module: (config) => ({
    module: class IntakeApp {},
    imports: [PlatformModule.forRoot(config, { ownsDataDir: false }), IntakeModule.forRoot(config)],
  }),
  strategies: (app) => [app.get<LogServer>(INTAKE_SERVER, { strict: false })],
  prepare: async (app, _config, signal) => {
    await preparePlatform(app, signal);
    await app.get(IntakeService, { strict: false }).prepare();
  },
});
