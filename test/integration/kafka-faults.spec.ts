import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { KafkaLog, type LogStatus } from '#kafka';
import { CommitUnknownError, type OutgoingRecord, type Position } from '#pipeline';
import { eventually, LogProbe, numbered, RecordingHandler, values } from '../../libs/testing/log-probe.js';
import { API, KafkaProxy } from '../servers/kafka-proxy.js';
import { KafkaServer } from '../servers/kafka-server.js';
import { describeWithOwnServers } from '../servers/servers.js';

/** A broker of its own, behind a proxy that loses requests and answers, and that goes down. */
describeWithOwnServers('Kafka that does not answer', () => {
  const statuses: LogStatus[] = [];
  let proxy: KafkaProxy;
  let server: KafkaServer;
  let log: KafkaLog;
  let probe: LogProbe;

  beforeAll(async () => {
    proxy = await KafkaProxy.listen();
    const advertised = `PLAINTEXT://127.0.0.1:${proxy.port}`;
    server = await KafkaServer.start({ settings: { 'advertised.listeners': advertised } });
    proxy.brokerPort = server.port;
    log = new KafkaLog({
      brokers: [`127.0.0.1:${proxy.port}`],
      clientId: 'spec',
      transactionTimeoutMs: 5_000,
      onStatus: (status) => statuses.push(status),
    });
    probe = new LogProbe(log);
  }, 120_000);
  afterAll(async () => {
    proxy?.up();
    await log?.close();
    await proxy?.close();
    await server?.stop();
  });

  async function makeWriter() {
    const group = probe.group();
    const input = { topic: await probe.topic(), partition: 0 };
    const output = await probe.topic();
    const writer = await log.writer(group, input);
    const step = (n: number): { records: OutgoingRecord[]; positions: Position[] } => ({
      records: numbered(output, 0, n, 1),
      positions: [{ ...input, offset: n }],
    });
    return { group, input, output, writer, step };
  }

  it.each(['lose-answer', 'lose-request'] as const)(
    '%s of a commit or a send: it is tried again, and counts once',
    async (fault) => {
      const { group, input, output, writer, step } = await makeWriter();
      for (const [n, api] of [API.endTxn, API.produce, API.endTxn].entries()) {
        const struck = proxy.strike(api, fault);
        await Promise.all([struck, writer.commit(step(n + 1))]);
      }
      await writer.commit(step(4));
      expect(await probe.valuesOf(output, 0, 4)).toEqual(values(1, 4));
      expect(await log.committed(group, input)).toBe(4);
      const struck = proxy.strike(API.produce, fault);
      await Promise.all([struck, log.append(numbered(output, 0, 5, 1))]);
      expect(await probe.valuesOf(output, 0, 5)).toEqual(values(1, 5));
      await writer.close();
    },
  );

  it('an answer that is lost on the way to a joint transaction: every input counts once', async () => {
    const group = probe.group();
    const topic = await probe.topic(2);
    const output = await probe.topic(2);
    const commitOf = (partition: number, offset: number) => ({
      records: numbered(output, partition, offset, 1),
      positions: [{ topic, partition, offset }],
    });
    const writers = [
      await log.writer(group, { topic, partition: 0 }),
      await log.writer(group, { topic, partition: 1 }),
    ];
    for (const [partition, writer] of writers.entries()) await writer.commit(commitOf(partition, 1));
    let offset = 1;
    for (const api of [API.produce, API.endTxn, API.endTxn]) {
      for (const fault of ['lose-answer', 'lose-request'] as const) {
        offset += 1;
        const struck = proxy.strike(api, fault);
        const committed = writers.map((writer, partition) => writer.commit(commitOf(partition, offset)));
        await Promise.all([struck, ...committed]);
      }
    }
    for (const [partition, writer] of writers.entries()) {
      expect(await probe.valuesOf(output, partition, offset)).toEqual(values(1, offset));
      expect(await log.committed(group, { topic, partition })).toBe(offset);
      await writer.close();
    }
  });

  it('no answer to a commit that went through: unknown, and never twice', async () => {
    const { group, input, output, writer, step } = await makeWriter();
    await writer.commit(step(1));
    const struck = proxy.strike(API.endTxn, 'lose-answer').then(() => proxy.down());
    await Promise.all([struck, expect(writer.commit(step(2))).rejects.toThrow(CommitUnknownError)]);
    proxy.up();
    // Who does not look at the committed position is told that the one before had gone through.
    await expect(writer.commit(step(2))).rejects.toThrow(CommitUnknownError);
    expect(await log.committed(group, input)).toBe(2);
    await writer.commit(step(3));
    expect(await probe.valuesOf(output, 0, 3)).toEqual(values(1, 3));
    await writer.close();
  });

  it('no answer to a commit that never arrived: unknown, and the next try counts', async () => {
    const { group, input, output, writer, step } = await makeWriter();
    await writer.commit(step(1));
    const struck = proxy.strike(API.endTxn, 'lose-request').then(() => proxy.down());
    const committing = expect(writer.commit(step(2))).rejects.toThrow(CommitUnknownError);
    await Promise.all([struck, committing]);
    proxy.up();
    expect(await log.committed(group, input)).toBe(1);
    // The coordinator may have ended the transaction by its timeout, which costs the writer its epoch.
    const again = await log.writer(group, input);
    await again.commit(step(2));
    expect(await probe.valuesOf(output, 0, 2)).toEqual(values(1, 2));
    expect(await log.committed(group, input)).toBe(2);
    await writer.close();
    await again.close();
  });

  it('away in the middle: a consumer says so, waits, and loses nothing', async () => {
    const topic = await probe.topic(2);
    const handler = new RecordingHandler();
    const consumer = log.consumer({ group: probe.group(), topics: [topic], batchRecordsMax: 10 });
    await consumer.start(handler);
    await probe.appendNumbered(topic, 0, 0, 20);
    await eventually(() => expect(handler.valuesOf(0)).toEqual(values(0, 20)));
    statuses.length = 0;
    proxy.down();
    await eventually(() => expect(statuses).toContainEqual(expect.objectContaining({ ok: false })));
    proxy.up();
    await probe.appendNumbered(topic, 0, 20, 20);
    await probe.appendNumbered(topic, 1, 0, 20);
    await eventually(() => {
      expect(handler.valuesOf(0)).toEqual(values(0, 40));
      expect(handler.valuesOf(1)).toEqual(values(0, 20));
    });
    expect(statuses.at(-1)).toEqual({ ok: true, detail: '' });
    expect(handler.callsOf(0)).toEqual(['assigned', 'batch']);
    await consumer.stop();
  });

  it('away at start: waits for it; killed and started again: goes on', async () => {
    const topic = await probe.topic(2);
    proxy.down();
    const handler = new RecordingHandler();
    const consumer = log.consumer({ group: probe.group(), topics: [topic], batchRecordsMax: 10 });
    const starting = consumer.start(handler);
    await eventually(() => expect(statuses.at(-1)).toMatchObject({ ok: false }));
    expect(consumer.health()).toMatchObject({ joined: false, crashed: null });
    proxy.up();
    await starting;
    await probe.appendNumbered(topic, 0, 0, 5);
    await eventually(() => expect(handler.valuesOf(0)).toEqual(values(0, 5)));
    await server.kill('SIGKILL');
    await server.restart();
    await probe.appendNumbered(topic, 0, 5, 5);
    await eventually(() => expect(new Set(handler.valuesOf(0))).toEqual(new Set(values(0, 10))));
    await consumer.stop();
  }, 120_000);

  it('a topic that is not there yet is waited for', async () => {
    const spec = LogProbe.spec(1);
    const handler = new RecordingHandler();
    const consumer = log.consumer({ group: probe.group(), topics: [spec.topic], batchRecordsMax: 10 });
    const starting = consumer.start(handler);
    await eventually(() => expect(statuses.at(-1)).toMatchObject({ ok: false }));
    await probe.topic(1, spec);
    await starting;
    await probe.appendNumbered(spec.topic, 0, 0, 3);
    await eventually(() => expect(handler.valuesOf(0)).toEqual(values(0, 3)));
    await consumer.stop();
  });

  it('stops also while it waits', async () => {
    proxy.down();
    const consumer = log.consumer({ group: probe.group(), topics: ['nothing'], batchRecordsMax: 10 });
    const starting = consumer.start(new RecordingHandler());
    await eventually(() => expect(statuses.at(-1)).toMatchObject({ ok: false }));
    await consumer.stop();
    await starting;
    expect(consumer.health().joined).toBe(false);
    proxy.up();
  });
});
