/**
 * Run as a process of its own: plain kafkajs, avsc, a Map. Reads a relationship log once from its start and prints
 * what it took as one line of JSON.
 */
import kafkajs from 'kafkajs';
import { TOPICS } from '#pipeline';
import { FloorFold } from './floor-fold.js';
import { cpuSeconds } from './machine.js';

export interface FloorReport {
  readonly records: number;
  /** Of the process from the first batch on. */
  readonly cpuSeconds: number;
  readonly persons: number;
  readonly paidMinor: number;
}

const { Kafka, logLevel } = kafkajs;
const [brokers = ''] = process.argv.slice(2);
const kafka = new Kafka({ clientId: 'floor', brokers: brokers.split(','), logLevel: logLevel.ERROR });
const admin = kafka.admin();
await admin.connect();
const ends = new Map<number, number>();
for (const { partition, high } of await admin.fetchTopicOffsets(TOPICS.relationshipLog)) {
  if (Number(high) > 0) ends.set(partition, Number(high));
}
await admin.disconnect();

const fold = new FloorFold();
let records = 0;
let begun: NodeJS.CpuUsage | undefined;
const consumer = kafka.consumer({ groupId: `floor-${Date.now()}` });
await consumer.connect();
await consumer.subscribe({ topic: TOPICS.relationshipLog, fromBeginning: true });
await new Promise<void>((resolve) => {
  void consumer.run({
    autoCommit: false,
    eachBatch: ({ batch }) => {
      begun ??= process.cpuUsage();
      for (const { value } of batch.messages) if (value !== null) fold.add(value);
      records += batch.messages.length;
      // What is left at the end of a partition are markers of transactions, which no consumer sees.
      const lag = BigInt(batch.highWatermark) - BigInt(batch.lastOffset());
      if (lag <= 2n) ends.delete(batch.partition);
      if (ends.size === 0) resolve();
      return Promise.resolve();
    },
  });
});
const report: FloorReport = {
  records,
  cpuSeconds: cpuSeconds(begun),
  persons: fold.persons,
  paidMinor: fold.paidMinor,
};
console.log(JSON.stringify(report));
process.exit(0);
