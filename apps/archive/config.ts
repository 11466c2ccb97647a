import { z } from 'zod';
import { microserviceSettings } from '#platform';
import { consumerSettings, serverSettings } from '#service';

export const archiveConfig = z.object({
  ...serverSettings,
  ...microserviceSettings,
  ...consumerSettings,
});
export type ArchiveConfig = z.infer<typeof archiveConfig>;
