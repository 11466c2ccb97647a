import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Kafka, logLevel } from 'kafkajs';
import { KafkaLog, type LogAlarm } from '#kafka';
import {
  OwnershipLostError,
  type ConsumerHandler,
  type LogConsumer,
  type RecordBatch,
  type TopicPartition,
  type TransactionalWriter,
} from '#pipeline';
import { eventually, LogProbe, numbered, RecordingHandler, values } from '../../libs/testing/log-probe.js';
import { describeWithServers } from '../servers/servers.js';

/** Copies its input to the same partition of another topic, exactly once. */
class Copier implements ConsumerHandler {
  private readonly writers = new Map<number, TransactionalWriter>();

  constructor(
    private readonly log: KafkaLog,
    private readonly group: string,
    private readonly output: string,
  ) {}

  async assigned(input: TopicPartition): Promise<number> {
    this.writers.set(input.partition, await this.log.writer(this.group, input));
    return (await this.log.committed(this.group, input)) ?? 0;
  }

  async batch({ topic, partition, records, nextOffset }: RecordBatch): Promise<void> {
    const copies = records.map(({ key, value }) => ({ topic: this.output, partition, key, value }));
    const writer = this.writers.get(partition);
    if (writer === undefined) throw new OwnershipLostError(`${partition} is not assigned`);
    await writer.commit({ records: copies, positions: [{ topic, partition, offset: nextOffset }] });
  }

  async revoked({ partition }: TopicPartition): Promise<void> {
    await this.writers.get(partition)?.close();
    this.writers.delete(partition);
  }
}

await describeWithServers('consumers on real Kafka', ({ brokers }) => {
  const alarms: LogAlarm[] = [];
  const log = new KafkaLog({ brokers, clientId: 'spec', onAlarm: (alarm) => alarms.push(alarm) });
  const probe = new LogProbe(log);
  const kafka = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  const producer = kafka.producer({
    transactionalId: probe.group(),
    idempotent: true,
    maxInFlightRequests: 1,
  });
  beforeAll(() => admin.connect());
  afterAll(async () => {
    await admin.disconnect();
    await producer.disconnect();
    await log.close();
  });

  it('members that come and go under load lose nothing and repeat nothing', async () => {
    const [input, output] = [await probe.topic(4), await probe.topic(4)];
    const group = probe.group();
    const members = [1, 2, 3].map(() => new KafkaLog({ brokers, clientId: 'member' }));
    const start = async (member: KafkaLog) => {
      const consumer = member.consumer({ group, topics: [input], batchRecordsMax: 50 });
      await consumer.start(new Copier(member, group, output));
      return consumer;
    };
    let isLoading = true;
    let sent = 0;
    const loading = (async () => {
      for (; isLoading || sent < 200; sent += 20) {
        await log.append([0, 1, 2, 3].flatMap((partition) => numbered(input, partition, sent, 20)));
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    })();
    const [one, two, three] = members;
    if (one === undefined || two === undefined || three === undefined) throw new Error('three members');
    const first = await start(one);
    await eventually(() => expect(first.health().assigned).toHaveLength(4));
    const second = await start(two);
    await eventually(() =>
      expect([first, second].map((one) => one.health().assigned.length)).toEqual([2, 2]),
    );
    await start(three);
    await second.stop();
    await eventually(() => expect(first.health().assigned).toHaveLength(2));
    isLoading = false;
    await loading;
    for (const partition of [0, 1, 2, 3]) {
      expect(await probe.valuesOf(output, partition, sent)).toEqual(values(0, sent));
      await eventually(async () => {
        expect(await log.committed(group, { topic: input, partition })).toBe(sent);
      });
    }
    for (const member of members) await member.close();
  }, 120_000);

  it('a pace makes few batches of a stream; a silence costs nothing, a backlog neither', async () => {
    const topic = await probe.topic(1);
    const handler = new RecordingHandler();
    const consumer = log.consumer({
      ...{ group: probe.group(), topics: [topic], batchRecordsMax: 1_000, paceMs: 3_000 },
    });
    await consumer.start(handler);
    for (let sent = 0; sent < 200; sent += 20) {
      await log.append(numbered(topic, 0, sent, 20));
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
    await eventually(() => expect(handler.valuesOf(0)).toEqual(values(0, 200)));
    // Ten fetches would have been ten batches; a grid of time can cut the stream twice at most.
    expect(handler.batches.length).toBeLessThanOrEqual(4);
    consumer.pause({ topic, partition: 0 });
    consumer.resume({ topic, partition: 0 });
    await log.append(numbered(topic, 0, 200, 20));
    await eventually(() => expect(handler.valuesOf(0)).toEqual(values(0, 220)));
    await consumer.stop();
    expect(handler.callsOf(0).at(-1)).toBe('revoked');
  }, 60_000);

  it('what stays with a member through a rebalance is neither revoked nor assigned again', async () => {
    const topic = await probe.topic(4);
    const group = probe.group();
    const [mine, other] = [new RecordingHandler(), new RecordingHandler()];
    const options = { group, topics: [topic], batchRecordsMax: 10 };
    const first = log.consumer(options);
    await first.start(mine);
    const second = log.consumer(options);
    await second.start(other);
    await eventually(() => expect(first.health().assigned).toHaveLength(2));
    const kept = first.health().assigned.map(({ partition }) => partition);
    for (const partition of [0, 1, 2, 3]) await probe.appendNumbered(topic, partition, 0, 5);
    await eventually(() => expect(mine.records.length + other.records.length).toBe(20));
    for (const partition of kept) expect(mine.callsOf(partition)).toEqual(['assigned', 'batch']);
    await second.stop();
    await first.stop();
  });

  it('a member that was restarted gets the partitions back whose state lies on its disk', async () => {
    const topic = await probe.topic(4);
    const group = probe.group();
    const member = (own: readonly number[]): LogConsumer =>
      log.consumer({
        ...{ group, topics: [topic], batchRecordsMax: 10 },
        storedStates: () => own.map((partition) => ({ topic, partition, offset: 9 })),
      });
    const assignedTo = (consumer: LogConsumer): number[] =>
      consumer
        .health()
        .assigned.map(({ partition }) => partition)
        .sort((a, b) => a - b);
    // Without the disks the first would keep 0 and 1.
    const staying = member([2, 3]);
    await staying.start(new RecordingHandler());
    await eventually(() => expect(assignedTo(staying)).toEqual([0, 1, 2, 3]));
    for (let restart = 0; restart < 2; restart++) {
      const restarted = member([0, 1]);
      await restarted.start(new RecordingHandler());
      await eventually(() =>
        expect([assignedTo(staying), assignedTo(restarted)]).toEqual([
          [2, 3],
          [0, 1],
        ]),
      );
      await restarted.stop();
      await eventually(() => expect(assignedTo(staying)).toEqual([0, 1, 2, 3]));
    }
    await staying.stop();
  });

  it('a stretch of aborted transactions is passed, and the handler hears where reading goes on', async () => {
    const topic = await probe.topic();
    await producer.connect();
    await probe.appendNumbered(topic, 0, 0, 1);
    const handler = new RecordingHandler();
    const consumer = log.consumer({ group: probe.group(), topics: [topic], batchRecordsMax: 10 });
    await consumer.start(handler);
    await eventually(() => expect(handler.valuesOf(0)).toEqual(['v0']));
    for (let i = 0; i < 3; i++) {
      const transaction = await producer.transaction();
      await transaction.send({ topic, messages: [{ value: 'never seen' }, { value: 'never seen' }] });
      await transaction.abort();
    }
    const end = 1 + 3 * 3;
    await eventually(async () => expect(await log.ends(topic)).toEqual([{ partition: 0, start: 0, end }]));
    await eventually(() => expect(handler.batches.at(-1)).toMatchObject({ nextOffset: end, endOffset: end }));
    await probe.appendNumbered(topic, 0, 1, 1);
    await eventually(() => expect(handler.valuesOf(0)).toEqual(['v0', 'v1']));
    expect(await probe.readAll(topic, 0)).toHaveLength(2);
    await consumer.stop();
  });

  it('raises an alarm when retention has cut the position, and goes on from what there is', async () => {
    const topic = await probe.topic();
    await probe.appendNumbered(topic, 0, 0, 10);
    // KafkaJS knows the leaders of a topic only once it has been asked about it.
    await admin.fetchTopicOffsets(topic);
    await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '6' }] });
    const handler = new RecordingHandler({ startAt: () => 2 });
    const group = probe.group();
    const consumer = log.consumer({ group, topics: [topic], batchRecordsMax: 10 });
    await consumer.start(handler);
    await eventually(() => expect(handler.valuesOf(0)).toEqual(values(6, 4)));
    expect(alarms).toEqual([
      { kind: 'offset-out-of-range', group, topic, partition: 0, position: 2, start: 6, end: 10 },
    ]);
    await consumer.stop();
  });

  it('gives up on a position beyond the end: that is another log', async () => {
    const topic = await probe.topic();
    await probe.appendNumbered(topic, 0, 0, 3);
    const consumer = log.consumer({ group: probe.group(), topics: [topic], batchRecordsMax: 10 });
    await consumer.start(new RecordingHandler({ startAt: () => 50 }));
    await eventually(() => expect(consumer.health().crashed?.message).toMatch(/another log/));
    await consumer.stop();
  });

  it('gives up on a handler that fails again and again, and says why', async () => {
    const topic = await probe.topic();
    await probe.appendNumbered(topic, 0, 0, 3);
    const failures: string[] = [];
    const impatient = new KafkaLog({
      brokers,
      clientId: 'spec',
      failuresMax: 2,
      onFailure: ({ message }) => failures.push(message),
    });
    const handler = new RecordingHandler({
      onBatch: () => {
        throw new Error('cannot do it');
      },
    });
    const consumer = impatient.consumer({ group: probe.group(), topics: [topic], batchRecordsMax: 10 });
    await consumer.start(handler);
    await eventually(() => expect(consumer.health().crashed?.message).toBe('cannot do it'));
    expect(failures).toHaveLength(3);
    expect(failures[0]).toContain('cannot do it');
    expect(handler.calls.filter((call) => call === 'assigned 0')).toHaveLength(3);
    expect(handler.calls.at(-1)).toBe('revoked 0');
    await impatient.close();
  });

  it('keeps what an operator has set on a topic when it is altered', async () => {
    const spec = LogProbe.spec(1);
    await probe.topic(1, spec);
    const configEntries = [
      { name: 'segment.ms', value: '123456789' },
      { name: 'message.timestamp.type', value: 'CreateTime' },
    ];
    await admin.alterConfigs({
      validateOnly: false,
      resources: [{ type: 2, name: spec.topic, configEntries }],
    });
    await eventually(async () => {
      const [step] = await log.applyTopics([spec], true);
      expect(step).toMatchObject({ action: 'alter' });
      expect(step?.detail).toContain('message.timestamp.type CreateTime → LogAppendTime');
    });
    await log.applyTopics([spec], false);
    await eventually(async () =>
      expect(await log.applyTopics([spec], true)).toMatchObject([{ action: 'none' }]),
    );
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: 2, name: spec.topic, configNames: ['segment.ms'] }],
    });
    expect(resources[0]?.configEntries[0]?.configValue).toBe('123456789');
  });
});
