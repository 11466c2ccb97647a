import 'reflect-metadata';
import { PlatformModule, preparePlatform, runApp } from '#service';
import { configureConsole } from './configure-console.js';
import { consoleConfig } from './config.js';
import { ConsoleModule } from './console.module.js';
import { ConsoleService } from './console.service.js';

await runApp({
  name: 'console',
  description: 'answers the API and shows the live page',
  config: consoleConfig,
  module: (config) => ({
    module: class ConsoleApp {},
    imports: [PlatformModule.forRoot(config, { ownsDataDir: false }), ConsoleModule.forRoot(config)],
  }),
  configure: (app, config) => configureConsole(app, config),
  prepare: async (app, _config, signal) => {
    await preparePlatform(app, signal);
    await app.get(ConsoleService, { strict: false }).prepare();
  },
});
