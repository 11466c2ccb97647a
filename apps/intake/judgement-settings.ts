/** What touchpoints are judged by, as the settings have it: the same for intake and for a replay of dead letters. */
import { join } from 'node:path';
import { Pseudonymiser } from '#contracts';
import { type AdmissionLimits, DEFAULT_ADMISSION_LIMITS, type SourceTouchpoint } from '#domain';

export interface JudgementSettings {
  readonly pseudonymousTopics?: readonly string[] | undefined;
  readonly pseudonymKeyFile?: string | undefined;
  readonly dataDir: string;
  readonly earliestEvent: number;
  readonly futureMaxMs: number;
  readonly currency: string;
}

/** The key that makes pseudonyms: the file named by the settings, else one in the data folder. */
export function pseudonymKeyFile(settings: Pick<JudgementSettings, 'pseudonymKeyFile' | 'dataDir'>): string {
  return settings.pseudonymKeyFile ?? join(settings.dataDir, 'pseudonym.key');
}

/** Makes the key where there is none yet. */
export function pseudonymisation(
  settings: JudgementSettings,
): (topic: string, event: SourceTouchpoint) => SourceTouchpoint {
  const pseudonymiser = Pseudonymiser.fromKeyFile(pseudonymKeyFile(settings));
  const plain = new Set(settings.pseudonymousTopics ?? []);
  return (topic, event) => (plain.has(topic) ? event : pseudonymiser.apply(event));
}

export function admissionLimits(settings: JudgementSettings): AdmissionLimits {
  return {
    ...DEFAULT_ADMISSION_LIMITS,
    earliestAt: settings.earliestEvent,
    aheadMaxMs: settings.futureMaxMs,
    currency: settings.currency,
  };
}
