export {
  type AppDefinition,
  type AppParts,
  type ConsumerStrategy,
  type ServerConfig,
} from './app/app-definition.js';
export { runApp } from './app/run-app.js';
export { RunningApp } from './app/running-app.js';
export { type Chassis, ServiceModule } from './app/service.module.js';
export { NestLogger } from './logging/nest-logger.js';
export { LOCKED_EXIT_CODE, PLATFORM, PlatformModule, preparePlatform } from './platform/platform.module.js';
