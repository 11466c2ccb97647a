/** The breaker of intake, as the settings have it. */
import type { RejectBreakerSettings } from '#pipeline';
import { EXIT, StartupError } from '#runtime';

export interface BreakerConfig {
  readonly sourceTopics: readonly string[];
  readonly breakerRejectedPercent: number;
  readonly breakerRecords: number;
  readonly breakerRetryMs: number;
  readonly breakerExemptTopics?: readonly string[] | undefined;
}

/** @throws StartupError   an exempt topic that is not read at all, which would be a slip of the pen */
export function breakerSettings(config: BreakerConfig): RejectBreakerSettings {
  const exempt = config.breakerExemptTopics ?? [];
  const unknown = exempt.filter((topic) => !config.sourceTopics.includes(topic));
  if (unknown.length > 0) {
    throw new StartupError(
      `GRAVITY_BREAKER_EXEMPT_TOPICS: ${unknown.join(', ')} is none of GRAVITY_SOURCE_TOPICS (${config.sourceTopics.join(', ')})`,
      EXIT.config,
    );
  }
  return {
    rejectedPercentMax: config.breakerRejectedPercent,
    recentRecords: config.breakerRecords,
    retryMs: config.breakerRetryMs,
    exemptTopics: new Set(exempt),
  };
}
