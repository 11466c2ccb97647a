/** The whole thing in a process with little memory, ClickHouse away, and far more input than fits: it waits, and lives. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createClickHouse, type ClickHouse } from '#clickhouse';
import { topicSpecs } from '#contracts';
import { defaultRules, type LogEntry } from '#domain';
import { EmbeddedLog } from '#embedded-log';
import { TOPICS } from '#pipeline';
import { epochRaised, eventually, join, rulesSet, TempDir, tick } from '#testing';
import { localCodecs } from '../../libs/testing/pipeline-world.js';
import { startClickHouseFacade, type ClickHouseEndpoint } from '../servers/clickhouse-facade.js';
import { TcpProxy } from '../servers/tcp-proxy.js';
import { StandaloneProcess } from './standalone-process.js';

const PERSONS = 40_000;
/** Old space. States, rows and inserts within their bounds fit. */
const HEAP_MIB = 256;
const OUTBOX_ROWS_MAX = 1_000;
/** What comes at once may go beyond: the persons of one checkpoint and two batches, with a row under each of two schemes. */
const ROWS_MORE_MAX = 2 * 30_000;
/** While nothing moves; garbage comes and goes. */
const RSS_MORE_MAX_MIB = 64;
/** So that time need not go on by much: each end of a window that is passed has a row. */
const AT = Date.now() - 120_000;
const SLOW_MS = 600_000;
const PATIENT_MS = 120_000;

const directory = new TempDir('memory-bound');
const data = directory.join('data');
let facade: ClickHouseEndpoint;
let wire: TcpProxy;
let clickhouse: ClickHouse;
let standalone: StandaloneProcess;

/** As if all of it had come while relationship was away. */
async function layFlood(): Promise<void> {
  const log = EmbeddedLog.open({ path: directory.join('data', 'log') });
  try {
    await log.applyTopics(topicSpecs({ relationshipLogPartitions: 1, sourcePartitions: 1 }), false);
    const codecs = await localCodecs();
    const lay = async (entries: readonly LogEntry[]): Promise<void> => {
      const head = { topic: TOPICS.relationshipLog, partition: 0, key: null };
      await log.append(entries.map((entry) => ({ ...head, value: codecs.log.encode(entry) })));
    };
    await lay([epochRaised(), rulesSet(defaultRules({ fineRowsFrom: AT })), tick(AT)]);
    for (let from = 0; from < PERSONS; from += 10_000) {
      const people = Array.from({ length: 10_000 }, (_, n) => `person-${from + n}`);
      await lay(people.map((person) => join(AT, { id: `join of ${person}`, person })));
    }
    await lay([tick(AT + 60_000)]);
  } finally {
    await log.close();
  }
}

beforeAll(async () => {
  await layFlood();
  facade = await startClickHouseFacade(directory.join('clickhouse'));
  wire = await TcpProxy.before(facade.url);
  const { url, username, password } = facade;
  clickhouse = await createClickHouse({ url, username, password });
}, SLOW_MS);
afterAll(async () => {
  await standalone?.killed();
  await clickhouse.close();
  await wire.close();
  await facade.close();
  directory.remove();
}, SLOW_MS);

interface Reading {
  readonly position: number;
  readonly outbox: number;
  readonly rssMib: number;
}

async function reading(url: string): Promise<Reading> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const of = (metric: RegExp): number =>
    [...text.matchAll(metric)].reduce((sum, [, value]) => sum + Number(value), 0);
  return {
    position: of(/^gravity_records_in_total\{service="relationship"[^}]*\} (\S+)/gm),
    outbox: of(/^gravity_outbox_entries\{service="relationship"[^}]*\} (\S+)/gm),
    rssMib: of(/^process_resident_memory_bytes(?:\{[^}]*\})? (\S+)/gm) / 2 ** 20,
  };
}

async function count(sql: string): Promise<number> {
  const [row] = await clickhouse.query({ sql, row: (found) => found as { n: string } });
  return Number(row?.n);
}

describe('a process with little memory, whose ClickHouse is away', () => {
  it(
    'stops reading, does not grow, and delivers all of it afterwards',
    async () => {
      standalone = StandaloneProcess.start(data, 0, {
        ...{
          CLICKHOUSE_URL: wire.url,
          CLICKHOUSE_USER: facade.username,
          CLICKHOUSE_PASSWORD: facade.password,
        },
        ...{ GRAVITY_EMBEDDED_PARTITIONS: '1', GRAVITY_SIMULATE: 'false' },
        ...{ NODE_OPTIONS: `--max-old-space-size=${HEAP_MIB}` },
        ...{ GRAVITY_OUTBOX_ROWS_MAX: String(OUTBOX_ROWS_MAX), GRAVITY_STATE_CACHE_PERSONS: '1000' },
      });
      const url = await standalone.listens();
      await standalone.started();
      wire.down();

      // It pauses: nothing has been folded for a while, though most of the log waits.
      let paused = await reading(url);
      await eventually(async () => {
        const before = paused;
        await sleep(1_500);
        paused = await reading(url);
        expect(paused.position).toBe(before.position);
        expect(paused.outbox).toBeGreaterThan(OUTBOX_ROWS_MAX);
      }, PATIENT_MS);
      expect(paused.position).toBeLessThan(PERSONS);
      const seen: Reading[] = [];
      for (let n = 0; n < 8; n += 1) {
        await sleep(500);
        seen.push(await reading(url));
      }
      for (const { position, outbox, rssMib } of seen) {
        expect(position).toBe(paused.position);
        expect(outbox).toBeLessThanOrEqual(OUTBOX_ROWS_MAX + ROWS_MORE_MAX);
        expect(rssMib).toBeLessThan(paused.rssMib + RSS_MORE_MAX_MIB);
      }

      wire.up();
      await eventually(async () => {
        expect(await count('SELECT count() AS n FROM gravity.persons FINAL')).toBe(2 * PERSONS);
        expect(await count('SELECT count() AS n FROM gravity.touchpoints FINAL')).toBe(PERSONS);
        expect(await count('SELECT count() AS n FROM gravity.tier_changes FINAL')).toBe(2 * PERSONS);
      }, PATIENT_MS).catch((error: unknown) => {
        throw new Error(`${String(error)}\n${standalone.text().slice(-3_000)}`);
      });
      // It is the process that was there all the time.
      await eventually(async () => expect((await reading(url)).outbox).toBe(0), PATIENT_MS);
    },
    SLOW_MS,
  );
});
