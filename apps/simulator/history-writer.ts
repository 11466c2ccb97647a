import { admit, DEFAULT_ADMISSION_LIMITS, personKey, type Rules, type SourceTouchpoint } from '#domain';
import {
  commitTransaction,
  partitionOf,
  TOPICS,
  type Log,
  type LogCodec,
  type OutgoingRecord,
  type Position,
} from '#pipeline';
import { dayCurve, type PromotionNight } from './night/promotion-night.js';
import { ReplayTicks } from './recorded/replay-ticks.js';

/** The log that a history goes into. */
export interface HistoryTarget {
  readonly log: Log;
  readonly codec: LogCodec;
  /** Of the relationship log. */
  readonly partitions: number;
}

export interface HistorySettings {
  /** End of the history, a whole hour, ms; the same on every start. */
  readonly anchor: number;
  readonly days: number;
  readonly eventsPerDay: number;
  readonly rules: Rules;
  readonly pseudonymise: (event: SourceTouchpoint) => SourceTouchpoint;
}

export interface HistoryObserver {
  /** That many hours are written. */
  committed?(hours: number, of: number): void;
  /** Asked before each commit: why nothing more may be written, null where nothing is in the way. */
  obstacle?(): Promise<string | null>;
}

export interface HistoryReport {
  /** Written now; 0 when it had been written before. */
  readonly events: number;
  /** Why it ends before its end; null when it is complete. */
  readonly cutOff: string | null;
}

const HOUR = 3_600_000;
export const HISTORY_GROUP = 'simulator-history';
/** A topic that exists, to hang the group's position on: the count of hours that are written. */
export const HISTORY_POSITION = { topic: TOPICS.intakeProgress, partition: 0 } as const;
/** A commit costs as much as some thousand records. */
const COMMIT_RECORDS = 5_000;

/**
 * Writes the weeks before the night straight into the relationship log, in order of time with the ticks of that
 * time, whole hours in one transaction with their number: a history that was cut off goes on where it ended.
 */
export async function writeHistory(
  target: HistoryTarget,
  night: PromotionNight,
  settings: HistorySettings,
  observer: HistoryObserver,
  signal: AbortSignal,
): Promise<HistoryReport> {
  const { log } = target;
  const hours = settings.days * 24;
  const records = new HistoryRecords(target, settings);
  const writer = await log.writer(HISTORY_GROUP, HISTORY_POSITION);
  try {
    const done = (await log.committed(HISTORY_GROUP, HISTORY_POSITION)) ?? 0;
    let written = 0;
    for (let hour = 0; hour < hours; hour += 1) {
      signal.throwIfAborted();
      const from = settings.anchor - (hours - hour) * HOUR;
      const eventsPerSecond = (settings.eventsPerDay / 86_400) * dayCurve(from);
      const scene = { run: 'h', origin: 'REPLAY', isPromotion: false, eventsPerSecond } as const;
      // Hours that are written are played all the same: the shoppers remember them.
      const events = night.between(from, from + HOUR, scene);
      if (hour < done) {
        records.pass(events);
        continue;
      }
      records.add(events);
      written += events.length;
      const isLast = hour === hours - 1;
      if (isLast) records.end();
      if (!isLast && records.size < COMMIT_RECORDS) continue;
      const obstacle = (await observer.obstacle?.()) ?? null;
      if (obstacle !== null) return { events: written - records.events, cutOff: obstacle };
      const position: Position = { ...HISTORY_POSITION, offset: hour + 1 };
      await commitTransaction(log, writer, HISTORY_GROUP, records.take(), position);
      observer.committed?.(hour + 1, hours);
    }
    return { events: written, cutOff: null };
  } finally {
    await writer.close();
  }
}

/** The records of the next commit. */
class HistoryRecords {
  readonly #ticks: ReplayTicks;
  #records: OutgoingRecord[] = [];
  #events = 0;

  constructor(
    private readonly target: HistoryTarget,
    private readonly settings: HistorySettings,
  ) {
    this.#ticks = new ReplayTicks(settings.rules, null);
  }

  get size(): number {
    return this.#records.length;
  }

  /** Events among them. */
  get events(): number {
    return this.#events;
  }

  /** Time passes over events that had been written before. */
  pass(events: readonly SourceTouchpoint[]): void {
    for (const { occurredAt } of events) this.#ticks.before(occurredAt);
  }

  add(events: readonly SourceTouchpoint[]): void {
    for (const event of events) {
      for (const at of this.#ticks.before(event.occurredAt)) this.#addTick(at);
      this.#addEvent(event);
    }
  }

  /** Time moves on to the end of the history. */
  end(): void {
    this.#addTick(this.settings.anchor);
  }

  take(): readonly OutgoingRecord[] {
    const records = this.#records;
    this.#records = [];
    this.#events = 0;
    return records;
  }

  #addEvent(event: SourceTouchpoint): void {
    const source = { topic: 'simulator', partition: 0, offset: 0 };
    const arrival = { ...source, arrivedAt: event.occurredAt };
    const admission = admit(this.settings.pseudonymise(event), arrival, DEFAULT_ADMISSION_LIMITS);
    if (!admission.ok) throw new Error(`the simulator made an event that is refused: ${admission.detail}`);
    const { touchpoint, detail } = admission;
    const key = personKey(touchpoint.brand, touchpoint.person);
    this.#records.push({
      topic: TOPICS.relationshipLog,
      partition: partitionOf(key, this.target.partitions),
      key,
      value: this.target.codec.encode(touchpoint, { detail, source }),
    });
    this.#events += 1;
  }

  /** In every partition. */
  #addTick(at: number): void {
    const value = this.target.codec.encode({ type: 'tick', at, arrivedAt: at });
    for (let partition = 0; partition < this.target.partitions; partition += 1) {
      this.#records.push({ topic: TOPICS.relationshipLog, partition, key: null, value });
    }
  }
}
