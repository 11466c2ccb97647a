export { migrationsDirectory, Platform } from './platform.js';
export { kafkaAccess, registryAccess } from './server-access.js';
export { microserviceSettings, platformSettings, type PlatformConfig } from './settings.js';
