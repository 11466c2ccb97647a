import { z } from 'zod';
import { microserviceSettings } from '#platform';
import { consumerSettings, duration, instant, list, serverSettings, text } from '#service';

/** Settings of intake alone; standalone has them too. */
export const intakeSettings = {
  sourceTopics: list()
    .prefault('touchpoint.relation,touchpoint.visit,touchpoint.engagement,touchpoint.order,touchpoint.share')
    .describe('Source topics to read'),
  pseudonymousTopics: list()
    .optional()
    .describe('Source topics whose person ids are pseudonyms already; all others are pseudonymised'),
  pseudonymKeyFile: text()
    .optional()
    .describe('File of the pseudonymisation key; made on first use in the data folder when unset'),
  earliestEvent: instant()
    .prefault('1990-01-01T00:00:00Z')
    .describe('Events before this instant are rejected'),
  futureMaxMs: duration().prefault('5m').describe('Events this far ahead of their arrival are rejected'),
  currency: z
    .string()
    .regex(/^[A-Z]{3}$/, 'expected a currency code such as CNY')
    .prefault('CNY')
    .describe('Currency of every brand'),
};

export const intakeConfig = z.object({
  ...serverSettings,
  ...microserviceSettings,
  ...consumerSettings,
  ...intakeSettings,
});
export type IntakeConfig = z.infer<typeof intakeConfig>;
