import { admit, DEFAULT_ADMISSION_LIMITS, personKey, type Rules, type SourceTouchpoint } from '#domain';
import {
  commitTransaction,
  partitionOf,
  TOPICS,
  type LogCodec,
  type OutgoingRecord,
  type Position,
} from '#pipeline';
import { type Platform } from '#platform';
import { dayCurve, type PromotionNight } from './night/promotion-night.js';
import { ReplayTicks } from './recorded/replay-ticks.js';

export interface HistorySettings {
  /** End of the history, a whole hour, ms; the same on every start. */
  readonly anchor: number;
  readonly days: number;
  readonly eventsPerDay: number;
  readonly rules: Rules;
  readonly pseudonymise: (event: SourceTouchpoint) => SourceTouchpoint;
}

export interface HistoryReport {
  /** Written now; 0 when it had been written before. */
  readonly events: number;
}

const HOUR = 3_600_000;
const GROUP = 'simulator-history';
/** A topic that exists, to hang the group's position on: the count of hours that are written. */
const POSITION_OF = { topic: TOPICS.intakeProgress, partition: 0 };

/**
 * Writes the weeks before the night straight into the relationship log, hour by hour with the ticks of that
 * time, each hour in one transaction with its number: a history that was cut off goes on where it ended.
 */
export async function writeHistory(
  platform: Platform,
  night: PromotionNight,
  settings: HistorySettings,
  onHour: (hour: number, of: number) => void,
  signal: AbortSignal,
): Promise<HistoryReport> {
  const { log } = platform;
  const codec = platform.codecs().log;
  const partitions = await platform.partitionsOf(TOPICS.relationshipLog);
  const hours = settings.days * 24;
  const ticks = new ReplayTicks(settings.rules, null);
  const writer = await log.writer(GROUP, POSITION_OF);
  try {
    const done = (await log.committed(GROUP, POSITION_OF)) ?? 0;
    let written = 0;
    for (let hour = 0; hour < hours; hour += 1) {
      signal.throwIfAborted();
      const from = settings.anchor - (hours - hour) * HOUR;
      const eventsPerSecond = (settings.eventsPerDay / 86_400) * dayCurve(from);
      const scene = { run: 'h', origin: 'REPLAY', isPromotion: false, eventsPerSecond } as const;
      // Hours that are written are played all the same: the shoppers remember them.
      const events = night.between(from, from + HOUR, scene);
      const records = historyRecords(events, ticks, codec, partitions, settings);
      if (hour === hours - 1) records.push(...tickRecords([settings.anchor], codec, partitions));
      if (hour < done) continue;
      const position: Position = { ...POSITION_OF, offset: hour + 1 };
      await commitTransaction(log, writer, GROUP, records, position);
      written += events.length;
      onHour(hour + 1, hours);
    }
    return { events: written };
  } finally {
    await writer.close();
  }
}

function historyRecords(
  events: readonly SourceTouchpoint[],
  ticks: ReplayTicks,
  codec: LogCodec,
  partitions: number,
  settings: HistorySettings,
): OutgoingRecord[] {
  const records: OutgoingRecord[] = [];
  for (const event of events) {
    records.push(...tickRecords(ticks.before(event.occurredAt), codec, partitions));
    const source = { topic: 'simulator', partition: 0, offset: 0 };
    const arrival = { ...source, arrivedAt: event.occurredAt };
    const admission = admit(settings.pseudonymise(event), arrival, DEFAULT_ADMISSION_LIMITS);
    if (!admission.ok) throw new Error(`the simulator made an event that is refused: ${admission.detail}`);
    const { touchpoint, detail } = admission;
    const key = personKey(touchpoint.brand, touchpoint.person);
    records.push({
      topic: TOPICS.relationshipLog,
      partition: partitionOf(key, partitions),
      key,
      value: codec.encode(touchpoint, { detail, source }),
    });
  }
  return records;
}

function tickRecords(ticks: readonly number[], codec: LogCodec, partitions: number): OutgoingRecord[] {
  return ticks.flatMap((at) => {
    const value = codec.encode({ type: 'tick', at, arrivedAt: at });
    return Array.from({ length: partitions }, (_, partition) => ({
      topic: TOPICS.relationshipLog,
      partition,
      key: null,
      value,
    }));
  });
}
