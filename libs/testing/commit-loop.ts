/** Run as a child by a crash test: commits numbered transactions to an embedded log until it is killed. */
import { writeSync } from 'node:fs';
import { EmbeddedLog } from '#embedded-log';
import type { OutgoingRecord } from '#pipeline';

export const CRASH_GROUP = 'crash';
export const CRASH_INPUT = { topic: 'crash-in', partition: 0 };
export const CRASH_OUTPUT = 'crash-out';
export const CRASH_OUTPUTS = [0, 1];

/** How many records transaction `n` puts into a partition; every 16th is large. */
export function recordsOf(n: number, partition: number): number {
  const small = partition === 0 ? (n * 7) % 40 : (n * 13) % 25;
  return n % 16 === 0 ? 1_500 + small : small;
}

function transaction(n: number): OutgoingRecord[] {
  return CRASH_OUTPUTS.flatMap((partition) =>
    Array.from({ length: recordsOf(n, partition) }, (_, i) => ({
      topic: CRASH_OUTPUT,
      partition,
      key: `${n}`,
      value: Buffer.from(`${n}:${i}`.padEnd(n % 200, '.')),
    })),
  );
}

/** Writes a line per acknowledged transaction: its number. */
export async function commitUntilKilled(path: string): Promise<never> {
  const log = EmbeddedLog.open({ path });
  const spec = { compacted: false, retentionMs: -1, maxMessageBytes: 1_000_000 };
  await log.applyTopics(
    [
      { ...spec, topic: CRASH_INPUT.topic, partitions: 1 },
      { ...spec, topic: CRASH_OUTPUT, partitions: CRASH_OUTPUTS.length },
    ],
    false,
  );
  const writer = await log.writer(CRASH_GROUP, CRASH_INPUT);
  for (let n = (await log.committed(CRASH_GROUP, CRASH_INPUT)) ?? 0; ; n += 1) {
    await writer.commit({ records: transaction(n), positions: [{ ...CRASH_INPUT, offset: n + 1 }] });
    writeSync(1, `${n}\n`);
  }
}

const [, script, path] = process.argv;
if (script?.endsWith('commit-loop.js') === true && path !== undefined) await commitUntilKilled(path);
