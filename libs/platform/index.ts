export { openCodecs, type Codecs } from './codecs.js';
export { GuestPlatform } from './guest-platform.js';
export { type OpenStateStore } from './data-folder.js';
export { migrationsDirectory, Platform } from './platform.js';
export { LOCKED_EXIT_CODE, PLATFORM, PlatformModule, preparePlatform } from './platform.module.js';
export { kafkaAccess, registryAccess } from './server-access.js';
export { microserviceSettings, platformSettings, type PlatformConfig } from './settings.js';
