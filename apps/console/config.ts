import { z } from 'zod';
import { microserviceSettings } from '#platform';
import { duration, integer, list, serverSettings } from '#runtime';

const CURRENCY = /^[A-Z]{3}$/;

/** Settings of the console alone; standalone has them too. */
export const consoleSettings = {
  figuresEveryMs: duration().prefault('1s').describe('How often the figures of open pages are read'),
  pagesMax: integer(1, 10_000).prefault('200').describe('Pages that may follow the live events at one time'),
  currency: z
    .string()
    .regex(CURRENCY, 'expected an ISO 4217 code such as CNY or EUR')
    .prefault('CNY')
    .describe('Currency that the page shows amounts in; nothing is converted'),
  reconcileEveryMs: duration()
    .prefault('10m')
    .describe('How often live figures are held against a recount of the raw facts; 0s: never'),
  reconcileEnds: integer(1, 10_000)
    .prefault('2')
    .describe('Closed ends that are recounted each time, of each window, in every channel'),
  allowedHosts: list()
    .optional()
    .describe(
      'Host names by which a server on a loopback address may be called, besides its own (a proxy’s)',
    ),
};

export const consoleConfig = z.object({ ...serverSettings, ...microserviceSettings, ...consoleSettings });
export type ConsoleConfig = z.infer<typeof consoleConfig>;

/** What the console needs of whichever app it runs in. */
export interface ConsoleOptions {
  readonly host: string;
  readonly figuresEveryMs: number;
  readonly pagesMax: number;
  readonly currency: string;
  readonly reconcileEveryMs: number;
  readonly reconcileEnds: number;
  readonly allowedHosts?: readonly string[] | undefined;
}
