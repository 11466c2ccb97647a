/** The whole path in one process: source topics → intake → relationship → archive → chDB, on a preloaded log. */
import { createClickHouse, integer, rowOf } from '#clickhouse';
import {
  LocalSchemaRegistry,
  LOG_PARTITIONS_EMBEDDED,
  SchemaCatalog,
  SOURCE_TOPICS,
  SourceEncoder,
  topicSpecs,
} from '#contracts';
import { personKey, type SourceTouchpoint } from '#domain';
import { EmbeddedLog } from '#embedded-log';
import { partitionOf, type OutgoingRecord } from '#pipeline';
// The lib's index is for jest alone.
import { TempDir } from '../../libs/testing/temp-dir.js';
import { AppProcess } from './app-process.js';
import { type BenchOptions, eventsOf, personsOf } from './bench-options.js';
import type { BenchResult } from './bench-report.js';
import { MachineWatch } from './machine.js';
import { mixOf, nightEvents, personsIn } from './night-events.js';

const EVENTS = 300_000;
/** The backlog is that of one minute: late for no window, and no clock to correct. */
const BACKLOG_MS = 60_000;
const SOURCE_PARTITIONS = 4;
const APPEND_RECORDS = 5_000;

export async function embeddedPath(options: BenchOptions): Promise<BenchResult> {
  const directory = new TempDir('bench-embedded');
  try {
    const events = backlogEvents(options, EVENTS);
    await preload(directory.join('log'), events);
    const watch = new MachineWatch();
    const app = await AppProcess.start('standalone', {
      GRAVITY_DATA_DIR: directory.path,
      GRAVITY_SIMULATE: 'false',
      LOG_LEVEL: 'info',
    });
    const started = await app.reading();
    // Intake reads each event once, relationship and archive once more each, and the tier changes come on top.
    const done = await app.drained(3 * events.length);
    await app.stop();
    const stored = await storedTouchpoints(directory.join('clickhouse'));
    if (stored !== events.length) throw new Error(`${stored} raw facts of ${events.length} events`);
    const cpuSeconds = done.cpuSeconds - started.cpuSeconds;
    return {
      part: 'embedded',
      settings: {
        events: events.length,
        persons: personsIn(events),
        seed: options.seed,
        mix: mixOf(events),
        records: done.recordsIn,
      },
      measures: [
        {
          what: 'intake, relationship, archive, chDB',
          unit: 'events/CPU-s',
          value: events.length / cpuSeconds,
          floor: null,
        },
        { what: 'CPU without start-up', unit: 's', value: cpuSeconds, floor: null },
        { what: 'start-up CPU', unit: 's', value: started.cpuSeconds, floor: null },
        { what: 'memory', unit: 'MiB', value: done.memoryMiB, floor: null },
      ],
      checks: [`${stored} raw facts, each event once`],
      surroundings: watch.end(done.cpuSeconds),
    };
  } finally {
    directory.remove();
  }
}

/** The events of the minute before now. */
export function backlogEvents(options: BenchOptions, usual: number): readonly SourceTouchpoint[] {
  return nightEvents({
    events: eventsOf(options, usual),
    persons: personsOf(options),
    seed: options.seed,
    from: Date.now() - BACKLOG_MS,
    lengthMs: BACKLOG_MS,
  });
}

/** Source records, as a producer would send them. */
export function sourceRecords(
  events: readonly SourceTouchpoint[],
  encoder: SourceEncoder,
  partitions: number,
): OutgoingRecord[] {
  return events.map((event) => {
    const key = personKey(event.brand, event.person ?? '');
    return {
      topic: SOURCE_TOPICS[event.type],
      partition: partitionOf(key, partitions),
      key,
      value: encoder.encode(event),
    };
  });
}

async function preload(path: string, events: readonly SourceTouchpoint[]): Promise<void> {
  const catalog = SchemaCatalog.load();
  const encoder = await SourceEncoder.open(new LocalSchemaRegistry(catalog), catalog);
  const log = EmbeddedLog.open({ path });
  try {
    await log.applyTopics(topicSpecs({ relationshipLogPartitions: LOG_PARTITIONS_EMBEDDED }), false);
    for (let from = 0; from < events.length; from += APPEND_RECORDS) {
      const records = sourceRecords(events.slice(from, from + APPEND_RECORDS), encoder, SOURCE_PARTITIONS);
      await log.append(records);
    }
  } finally {
    await log.close();
  }
}

async function storedTouchpoints(path: string): Promise<number> {
  const clickhouse = await createClickHouse({ path });
  try {
    const [row] = await clickhouse.query({
      sql: 'SELECT uniqExact(event_id) AS events FROM gravity.touchpoints',
      row: rowOf({ events: integer }),
    });
    return row?.events ?? 0;
  } finally {
    await clickhouse.close();
  }
}
