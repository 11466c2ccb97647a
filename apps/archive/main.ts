import 'reflect-metadata';
import type { LogServer } from '#transport';
import { PlatformModule, preparePlatform, runApp } from '#service';
import { archiveConfig } from './config.js';
import { ARCHIVE_SERVER, ArchiveModule } from './archive.module.js';
import { ArchiveService } from './archive.service.js';

await runApp({
  name: 'archive',
  description: 'copies the log, the tier changes and the dead letters into ClickHouse',
  config: archiveConfig,
  module: (config) => ({
    module: class ArchiveApp {},
    imports: [PlatformModule.forRoot(config, { ownsDataDir: false }), ArchiveModule.forRoot(config)],
  }),
  strategies: (app) => [app.get<LogServer>(ARCHIVE_SERVER, { strict: false })],
  prepare: async (app, _config, signal) => {
    await preparePlatform(app, signal);
    app.get(ArchiveService, { strict: false }).prepare();
  },
});
