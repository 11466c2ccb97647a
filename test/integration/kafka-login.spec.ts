/** A broker that speaks TLS and asks who is there, and the settings that let us in. */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { KafkaLog } from '#kafka';
import { kafkaAccess } from '#platform';
import { KafkaServer } from '../servers/kafka-server.js';
import { describeWithOwnServers } from '../servers/servers.js';

const SLOW_MS = 120_000;
const TOPIC = 'letters';
const NO_ACCESS = { kafkaTls: false, schemaRegistryPassword: '' };

describeWithOwnServers('a Kafka with TLS and a login', () => {
  let server: KafkaServer | undefined;
  const logs: KafkaLog[] = [];

  beforeAll(async () => {
    server = await KafkaServer.start({ login: { user: 'gravity', password: 'open sesame' } });
  }, SLOW_MS);

  afterAll(async () => {
    for (const log of logs) await log.close();
    await server?.stop();
  }, SLOW_MS);

  function logWith(password: string, isTrusted = true): KafkaLog {
    const { brokers = [], certificateFile = '' } = server ?? {};
    const log = new KafkaLog({
      brokers,
      clientId: 'login',
      appendTimeoutMs: 5_000,
      ...kafkaAccess({
        ...NO_ACCESS,
        kafkaTls: true,
        ...(isTrusted ? { kafkaTlsCaFile: certificateFile } : {}),
        kafkaSaslMechanism: 'plain',
        kafkaSaslUser: 'gravity',
        kafkaSaslPassword: password,
      }),
    });
    logs.push(log);
    return log;
  }

  it(
    'is written to and read from by who knows the password',
    async () => {
      const log = logWith('open sesame');
      await log.applyTopics(
        [{ topic: TOPIC, partitions: 1, compacted: false, retentionMs: -1, maxMessageBytes: 1_000_000 }],
        false,
      );
      await log.append([{ topic: TOPIC, partition: 0, key: 'a', value: Buffer.from('letter') }]);
      const read: string[] = [];
      for await (const batch of log.read({ topic: TOPIC, partition: 0 }, 0)) {
        for (const { value } of batch.records) read.push(value?.toString() ?? '');
      }
      expect(read).toEqual(['letter']);
    },
    SLOW_MS,
  );

  it(
    'lets nobody in with another password, nor is it trusted without its certificate',
    async () => {
      await expect(logWith('close sesame').ends(TOPIC)).rejects.toThrow(/SASL PLAIN authentication failed/);
      await expect(logWith('open sesame', false).ends(TOPIC)).rejects.toThrow(/self.signed certificate/);
    },
    SLOW_MS,
  );
});
