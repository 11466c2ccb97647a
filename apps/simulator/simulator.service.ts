import type { Rules, SourceTouchpoint } from '#domain';
import { firstEpoch, TOPICS } from '#pipeline';
import type { Platform } from '#platform';
import type { AppLogger, ShutdownSequence } from '#runtime';
import { historyObstacle, intakeObstacle } from './history-obstacle.js';
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
const HOURS_OF_WEEK = 24 * 7;

/** Plays the promotion night into a log: weeks of history once, then the night as it happens. */
export class SimulatorService {
  readonly #night: PromotionNight;
  #weeks = 0;

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
   * Writes what is missing of the history. The log must have its first records, and intake should not run yet:
   * its progress moves time past the history. Where it is too late for one, the reason is logged.
   */
  async writeHistory(
    pseudonymise: (event: SourceTouchpoint) => SourceTouchpoint,
    signal: AbortSignal,
  ): Promise<void> {
    const { simulatorHistoryDays: days, simulatorHistoryEventsPerDay: eventsPerDay } = this.options;
    if (!this.isOn || days === 0) return;
    const { log } = this.platform;
    const codec = this.platform.codecs().log;
    const begun = await firstEpoch(log, codec, { topic: TOPICS.relationshipLog, partition: 0 });
    const obstacle = await historyObstacle(log, codec, days * 24);
    if (begun === null || obstacle !== null) {
      this.logger.warn('no history is written', { reason: obstacle ?? 'the log has lost its first record' });
      return;
    }
    const anchor = anchorOf(begun.arrivedAt);
    const startedAt = Date.now();
    const { events, cutOff } = await writeHistory(
      { log, codec, partitions: await this.platform.partitionsOf(TOPICS.relationshipLog) },
      this.#night,
      { anchor, days, eventsPerDay, rules: simulatedRules(anchor), pseudonymise },
      {
        committed: (hours, of) => this.#progress(hours, of),
        obstacle: () => intakeObstacle(log),
      },
      signal,
    );
    if (events > 0) this.logger.info('history written', { days, events, durationMs: Date.now() - startedAt });
    if (cutOff !== null) this.logger.warn('the history is cut off', { reason: cutOff });
  }

  #progress(hours: number, of: number): void {
    const week = Math.floor(hours / HOURS_OF_WEEK);
    if (week === this.#weeks) return;
    this.#weeks = week;
    this.logger.info('writing history', { days: Math.floor(hours / 24), of: of / 24 });
  }

  async startLive(): Promise<void> {
    if (!this.isOn) return;
    const target = { log: this.platform.log, encoder: this.platform.codecs().sourceEncoder };
    const feed = new LiveFeed(target, this.#night, {
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
