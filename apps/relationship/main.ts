import 'reflect-metadata';
import type { LogServer } from '#transport';
import { PlatformModule, preparePlatform, runApp } from '#service';
import { relationshipConfig } from './config.js';
import { RELATIONSHIP_SERVER, RelationshipModule } from './relationship.module.js';
import { RelationshipService } from './relationship.service.js';

await runApp({
  name: 'relationship',
  description: 'folds the relationship log into states, tier changes and figures',
  config: relationshipConfig,
  module: (config) => ({
    module: class RelationshipApp {},
    imports: [PlatformModule.forRoot(config, { ownsDataDir: true }), RelationshipModule.forRoot(config)],
  }),
  strategies: (app) => [app.get<LogServer>(RELATIONSHIP_SERVER, { strict: false })],
  prepare: async (app, _config, signal) => {
    await preparePlatform(app, signal);
    await app.get(RelationshipService, { strict: false }).prepare();
  },
});
