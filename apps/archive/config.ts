import { z } from 'zod';
import { microserviceSettings } from '#platform';
import { consumerSettings, paceSettings, serverSettings } from '#runtime';

export const archiveConfig = z.object({
  ...serverSettings,
  ...microserviceSettings,
  ...consumerSettings,
  ...paceSettings('1s'),
});
export type ArchiveConfig = z.infer<typeof archiveConfig>;
