import { z } from 'zod';
import { platformSettings } from '#platform';
import { consumerSettings, serverSettings } from '#service';
import { consoleSettings } from '../console/config.js';
import { intakeSettings } from '../intake/config.js';
import { relationshipSettings } from '../relationship/config.js';
import { simulatorSettings } from '../simulator/config.js';

/** Everything in one process: embedded unless servers are named. */
export const standaloneConfig = z.object({
  ...serverSettings,
  ...platformSettings,
  ...consumerSettings,
  ...intakeSettings,
  ...relationshipSettings,
  ...consoleSettings,
  ...simulatorSettings,
});
export type StandaloneConfig = z.infer<typeof standaloneConfig>;
