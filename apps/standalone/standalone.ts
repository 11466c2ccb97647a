import type { INestApplicationContext } from '@nestjs/common';
import { Pseudonymiser } from '#contracts';
import { type AppDefinition, PLATFORM, PlatformModule, preparePlatform } from '#service';
import type { Platform } from '#platform';
import { HealthRegistry } from '#runtime';
import type { LogServer } from '#transport';
import { ARCHIVE_SERVER, ArchiveModule } from '../archive/archive.module.js';
import { ArchiveService } from '../archive/archive.service.js';
import { configureConsole } from '../console/configure-console.js';
import { ConsoleModule } from '../console/console.module.js';
import { ConsoleService } from '../console/console.service.js';
import { INTAKE_SERVER, IntakeModule } from '../intake/intake.module.js';
import { IntakeService } from '../intake/intake.service.js';
import { pseudonymKeyFile } from '../intake/judgement-settings.js';
import { RELATIONSHIP_SERVER, RelationshipModule } from '../relationship/relationship.module.js';
import { RelationshipService } from '../relationship/relationship.service.js';
import { SimulatorModule } from '../simulator/simulator.module.js';
import { SimulatorService } from '../simulator/simulator.service.js';
import { standaloneConfig, type StandaloneConfig } from './config.js';

/** All apps in one process, with a simulated promotion night as their source. */
export const standalone: AppDefinition<StandaloneConfig> = {
  name: 'standalone',
  description: 'runs intake, relationship, archive, console and simulator in one process',
  config: standaloneConfig,
  module: (config) => ({
    module: class StandaloneApp {},
    imports: [
      PlatformModule.forRoot(config, { ownsDataDir: true }),
      IntakeModule.forRoot(config),
      RelationshipModule.forRoot(config),
      ArchiveModule.forRoot(config),
      ConsoleModule.forRoot(config),
      SimulatorModule.forRoot(config),
    ],
  }),
  strategies: (app) =>
    [INTAKE_SERVER, RELATIONSHIP_SERVER, ARCHIVE_SERVER].map((server) =>
      app.get<LogServer>(server, { strict: false }),
    ),
  configure: (app, config) => configureConsole(app, config),
  prepare,
  started: (app, url) => {
    app.get<Platform>(PLATFORM, { strict: false }).lock?.announce({ api: url });
    void app.get(SimulatorService, { strict: false }).startLive();
  },
};

async function prepare(
  app: INestApplicationContext,
  config: StandaloneConfig,
  signal: AbortSignal,
): Promise<void> {
  const health = app.get(HealthRegistry, { strict: false });
  const platform = await preparePlatform(app, signal);
  const simulator = app.get(SimulatorService, { strict: false });
  await platform.initialiseLog(simulator.rulesOfNewLog(Date.now()));
  health.setStartup('writing the history of the simulated brands');
  const pseudonymiser = Pseudonymiser.fromKeyFile(pseudonymKeyFile(config));
  await simulator.writeHistory((event) => pseudonymiser.apply(event), signal);
  health.setStartup('opening the services');
  await app.get(IntakeService, { strict: false }).prepare();
  await app.get(RelationshipService, { strict: false }).prepare();
  app.get(ArchiveService, { strict: false }).prepare();
  await app.get(ConsoleService, { strict: false }).prepare();
}
