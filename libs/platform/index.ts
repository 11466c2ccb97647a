export { migrationsDirectory, Platform } from './platform.js';
export { LOCKED_EXIT_CODE, PLATFORM, PlatformModule, preparePlatform } from './platform.module.js';
export { kafkaAccess, registryAccess } from './server-access.js';
export { microserviceSettings, platformSettings, type PlatformConfig } from './settings.js';
