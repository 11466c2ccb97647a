import { z } from 'zod';
import { platformSettings } from '#platform';
import { consumerSettings, paceSettings, serverSettings } from '#runtime';
import { consoleSettings } from '../console/config.js';
import { intakeSettings } from '../intake/config.js';
import { relationshipSettings } from '../relationship/config.js';
import { simulatorSettings } from '../simulator/config.js';

/** Everything in one process: embedded unless servers are named. */
export const standaloneConfig = z.object({
  ...serverSettings,
  ...platformSettings,
  ...consumerSettings,
  // The embedded log keeps no pace; environments are shared with services that do.
  ...paceSettings('50ms'),
  ...intakeSettings,
  ...relationshipSettings,
  ...consoleSettings,
  ...simulatorSettings,
});
export type StandaloneConfig = z.infer<typeof standaloneConfig>;
