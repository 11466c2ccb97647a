import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, expect, it } from '@jest/globals';
import { KafkaLog } from '#kafka';
import { LogProbe } from '../../libs/testing/log-probe.js';
import { javaVersion, serverFiles } from '../servers/java.js';
import { describeWithServers, noteSkipped } from '../servers/servers.js';

/** Kafka's own console producer, from the jars of the test broker. */
async function produceWithJava(
  brokers: readonly string[],
  topic: string,
  codec: string,
  lines: readonly string[],
) {
  const child = spawn(
    'java',
    [
      '-Xmx128m',
      '-Dfile.encoding=UTF-8',
      '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
      '-cp',
      join(await serverFiles(), 'kafka', '*'),
      'org.apache.kafka.tools.ConsoleProducer',
      ...['--bootstrap-server', brokers.join(), '--topic', topic],
      ...['--compression-codec', codec, '--max-partition-memory-bytes', '200000', '--timeout', '500'],
      ...['--property', 'parse.key=true', '--property', 'key.separator=|'],
    ],
    { stdio: ['pipe', 'ignore', 'inherit'] },
  );
  child.stdin.end(`${lines.join('\n')}\n`);
  const code = await new Promise((resolve) => child.once('exit', resolve));
  if (code !== 0) throw new Error(`the console producer has ended with ${String(code)}`);
}

await describeWithServers('what the Java producer compresses', ({ brokers }) => {
  const log = new KafkaLog({ brokers, clientId: 'spec' });
  const probe = new LogProbe(log);
  afterAll(() => log.close());
  if (javaVersion() === null) noteSkipped('compression', 'the Java producer needs Java', true);
  const test = javaVersion() === null ? it.skip : it;

  test.each(['none', 'gzip', 'snappy', 'lz4', 'zstd'])(
    '%s: is read as it was written',
    async (codec) => {
      const topic = await probe.topic();
      // Half repetitive, half not, and more than one block of every format.
      let noise = 1;
      const lines = Array.from({ length: 3_000 }, (_, i) => {
        noise = (noise * 48_271) % 2_147_483_647;
        return `人${i}|${'abc'.repeat(i % 40)}${noise.toString(36).repeat(3)}`;
      });
      await produceWithJava(brokers, topic, codec, lines);
      const read = await probe.readAll(topic, 0);
      expect(read.map(({ key, value }) => `${key}|${value}`)).toEqual(lines);
    },
    60_000,
  );
});
