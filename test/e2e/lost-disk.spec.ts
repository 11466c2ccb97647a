/** The whole thing in a process of its own, killed again and again, each time with less of its local store. */
import { readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { readdirSync, statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { TierChanged } from '#domain';
import { EmbeddedLog } from '#embedded-log';
import { TOPICS, type ListedSnapshot } from '#pipeline';
import { SnapshotDirectory } from '#state-store';
import { TempDir } from '#testing';
import { localCodecs } from '../../libs/testing/pipeline-world.js';
import { foldWhole, readBy, recordsOf } from '../chaos/whole-fold.js';
import { RELATIONSHIP_GROUP } from '../../apps/relationship/relationship.service.js';
import { StandaloneProcess } from './standalone-process.js';

const directory = new TempDir('lost-disk');
const data = directory.join('data');
const place = directory.join('snapshots');
const snapshots = new SnapshotDirectory(place);
const processes: StandaloneProcess[] = [];

function start(): StandaloneProcess {
  const process = StandaloneProcess.start(data, 0, {
    GRAVITY_SNAPSHOT_DIR: place,
    ...{ GRAVITY_SNAPSHOT_EVERY: '2s', GRAVITY_CHECKPOINT: '1s', GRAVITY_SNAPSHOT_KEEP: '3' },
  });
  processes.push(process);
  return process;
}

/** Until each partition has so many that are not in `known`. */
async function newSnapshots(
  known: readonly ListedSnapshot[],
  each: number,
): Promise<readonly ListedSnapshot[]> {
  const ids = new Set(known.map(({ id }) => id));
  for (;;) {
    const listed = await snapshots.list(null);
    const fresh = listed.filter(({ id }) => !ids.has(id));
    const isEnough = [0, 1].every(
      (nth) => fresh.filter(({ manifest }) => manifest?.partition === nth).length >= each,
    );
    if (isEnough) return listed;
    await sleep(200);
  }
}

const linesWith = (process: StandaloneProcess, text: string): readonly string[] =>
  process
    .text()
    .split('\n')
    .filter((line) => line.includes(`"msg":"${text}"`));

beforeAll(async () => {
  const first = start();
  const url = await first.listens();
  await first.started();
  await newSnapshots([], 2);
  const metrics = await (await fetch(`${url}/metrics`)).text();
  expect(metrics).toMatch(/gravity_snapshot_age_seconds\{service="relationship",partition="1"\} \d/);
  expect(metrics).toMatch(/gravity_snapshot_bytes\{service="relationship",partition="0"\} [1-9]/);
  expect(linesWith(first, 'snapshot taken').length).toBeGreaterThanOrEqual(4);
  await first.killed();
}, 240_000);
afterAll(() => {
  for (const process of processes) process.kill();
  directory.remove();
});

describe('a machine that loses its disk', () => {
  it('comes back from snapshots, past a torn one', async () => {
    const known = await snapshots.list(null);
    const newest = known
      .filter(({ manifest }) => manifest?.partition === 0)
      .map(({ id }) => id)
      .sort()
      .at(-1);
    const entries = directory.join('snapshots', newest ?? '', 'entries.bin');
    const bytes = readFileSync(entries);
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
    writeFileSync(entries, bytes);
    rmSync(directory.join('data', 'state'), { recursive: true });

    const second = start();
    await second.started();
    await newSnapshots(known, 1);
    expect(linesWith(second, 'partition restored from a snapshot')).toHaveLength(2);
    const passedOver = linesWith(second, 'a snapshot was passed over');
    expect(passedOver).toHaveLength(1);
    expect(passedOver[0]).toContain(newest);
    expect(passedOver[0]).toMatch(/CRC/);
    await second.killed();
  }, 240_000);

  it('sets a store aside whose end is missing, and comes back', async () => {
    const known = await snapshots.list(null);
    const file = directory.join('data', 'state', 'relationship', 'data.mdb');
    // LMDB lets its file grow ahead of what it needs: half of it may be all that there is.
    truncateSync(file, statSync(file).size >> 3);
    const third = start();
    await third.started();
    await newSnapshots(known, 1);
    const [said] = linesWith(third, 'the local store could not be read and was set aside');
    expect(said).toMatch(/its end is missing/);
    expect(linesWith(third, 'partition restored from a snapshot')).toHaveLength(2);
    expect(
      readdirSync(directory.join('data', 'state')).filter((name) => name.includes('.unusable-')),
    ).toHaveLength(1);
    expect((await third.interrupt()).code).toBe(0);
  }, 240_000);

  it('has published each tier change once', async () => {
    const log = EmbeddedLog.open({ path: directory.join('data', 'log') });
    try {
      const codecs = await localCodecs();
      // The intake may have accepted something after the fold's last batch.
      const whole = await foldWhole(readBy(RELATIONSHIP_GROUP, log), codecs);
      const published: TierChanged[] = [];
      for (const records of (await recordsOf(log, TOPICS.tierChanges)).values()) {
        for (const { value } of records) if (value !== null) published.push(codecs.tierChanged.decode(value));
      }
      const text = (facts: readonly TierChanged[]): readonly string[] =>
        facts.map((fact) => JSON.stringify({ ...fact, version: fact.version.toString() })).sort();
      expect(published.length).toBeGreaterThan(100);
      expect(text(published)).toEqual(text(whole.facts));
    } finally {
      await log.close();
    }
  }, 120_000);
});
