import { type Rules, type SourceTouchpoint } from '#domain';
import { firstEpoch, TOPICS } from '#pipeline';
import { type Platform } from '#platform';
import { type AppLogger, type ShutdownSequence } from '#service';
import { writeHistory } from './history-writer.js';
import { LiveFeed } from './live-feed.js';
import { PromotionNight } from './night/promotion-night.js';
import { simulatedRules } from './simulated-rules.js';

export interface SimulatorOptions {
  readonly simulate: boolean;
  readonly simulatorSeed: number;
  readonly simulatorEventsPerSecond: number;
  readonly simulatorHistoryDays: number;
  readonly simulatorHistoryEventsPerDay: number;
}

const HOUR = 3_600_000;

/** Plays the promotion night into a log: weeks of history once, then the night as it happens. */
export class SimulatorService {
  readonly #night: PromotionNight;

  constructor(
    private readonly platform: Platform,
    private readonly logger: AppLogger,
    private readonly shutdown: ShutdownSequence,
    private readonly options: SimulatorOptions,
  ) {
    this.#night = new PromotionNight(options.simulatorSeed);
  }

  get isOn(): boolean {
    return this.options.simulate;
  }

  /** The rules of a log that begins now; undefined: the default ones. */
  rulesOfNewLog(now: number): Rules | undefined {
    return this.isOn ? simulatedRules(anchorOf(now)) : undefined;
  }

  /**
   * Writes what is missing of the history. The log must have its first records, and intake must not run yet:
   * its progress would move time past the history.
   */
  async writeHistory(
    pseudonymise: (event: SourceTouchpoint) => SourceTouchpoint,
    signal: AbortSignal,
  ): Promise<void> {
    const { simulatorHistoryDays: days, simulatorHistoryEventsPerDay: eventsPerDay } = this.options;
    if (!this.isOn || days === 0) return;
    const begun = await firstEpoch(this.platform.log, this.platform.codecs().log, {
      topic: TOPICS.relationshipLog,
      partition: 0,
    });
    if (begun === null) {
      this.logger.warn('the log has lost its first record: no history is written');
      return;
    }
    const anchor = anchorOf(begun.arrivedAt);
    const startedAt = Date.now();
    const { events } = await writeHistory(
      this.platform,
      this.#night,
      { anchor, days, eventsPerDay, rules: simulatedRules(anchor), pseudonymise },
      (hour, of) => {
        if (hour % (24 * 7) === 0) this.logger.info('writing history', { days: hour / 24, of: of / 24 });
      },
      signal,
    );
    if (events > 0) this.logger.info('history written', { days, events, durationMs: Date.now() - startedAt });
  }

  async startLive(): Promise<void> {
    if (!this.isOn) return;
    const feed = new LiveFeed(this.platform, this.#night, {
      eventsPerSecond: this.options.simulatorEventsPerSecond,
      seed: this.options.simulatorSeed,
      onError: (error) => this.logger.warnRepeated('the simulator cannot write', { err: error }),
    });
    await feed.start();
    this.shutdown.register('stop-sources', 'simulator', () => feed.stop());
    this.logger.info('the promotion night is on', { eventsPerSecond: this.options.simulatorEventsPerSecond });
  }
}

/** The whole hour at which the history ends. */
function anchorOf(now: number): number {
  return Math.floor(now / HOUR) * HOUR;
}
