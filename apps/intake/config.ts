import { z } from 'zod';
import { microserviceSettings } from '#platform';
import {
  consumerSettings,
  duration,
  instant,
  integer,
  list,
  paceSettings,
  serverSettings,
  text,
} from '#runtime';

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
  breakerRejectedPercent: integer(0, 100)
    .prefault('50')
    .describe(
      'A source topic is stopped when more of its recent records are rejected, in per cent; 0: never',
    ),
  breakerRecords: integer(10, 1_000_000)
    .prefault('1000')
    .describe('So many records of a topic are recent, in each instance'),
  breakerRetryMs: duration().prefault('1m').describe('How often what a stopped topic holds is judged again'),
  breakerExemptTopics: list()
    .optional()
    .describe(
      'Source topics that are never stopped: the way on where what is rejected shall become dead letters',
    ),
};

export const intakeConfig = z.object({
  ...serverSettings,
  ...microserviceSettings,
  ...consumerSettings,
  ...paceSettings('50ms'),
  ...intakeSettings,
});
export type IntakeConfig = z.infer<typeof intakeConfig>;
