import { join } from 'node:path';
import { z } from 'zod';
import { microserviceSettings } from '#platform';
import { flag, integer, serverSettings, text } from '#runtime';

/** Settings of the simulator alone; standalone has them too. */
export const simulatorSettings = {
  simulate: flag().prefault('true').describe('Make up a promotion night; false waits for real touchpoints'),
  simulatorSeed: integer(0, 2 ** 31 - 1)
    .prefault('611')
    .describe('Seed of the simulated night'),
  simulatorEventsPerSecond: integer(1, 20_000)
    .prefault('150')
    .describe('Events per second of the simulated night, before bursts'),
  simulatorHistoryDays: integer(0, 400)
    .prefault('35')
    .describe('Days of history written before the night begins, once per log; 0 for none'),
  simulatorHistoryEventsPerDay: integer(1, 10_000_000)
    .prefault('5000')
    .describe('Events on an average day of that history'),
};

export const simulatorConfig = z.object({
  ...serverSettings,
  ...microserviceSettings,
  ...simulatorSettings,
  pseudonymKeyFile: text()
    .optional()
    .describe(
      'File of the pseudonymisation key, the same as intake’s: else the history is that of other persons; ' +
        'made on first use in the data folder when unset',
    ),
});
export type SimulatorConfig = z.infer<typeof simulatorConfig>;

/** The key that makes pseudonyms: the file named by the settings, else one in the data folder. */
export function pseudonymKeyFile(options: Pick<SimulatorConfig, 'pseudonymKeyFile' | 'dataDir'>): string {
  return options.pseudonymKeyFile ?? join(options.dataDir, 'pseudonym.key');
}
