/** Run in a worker thread by the specs of the embedded log: copies its share of topic `in` to topic `out`. */
import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import { EmbeddedLog, type ThreadShare } from '#embedded-log';
import type { ConsumerHandler, RecordBatch } from '#pipeline';

interface GuestTask {
  readonly path: string;
  readonly share: ThreadShare;
}

async function copy({ path, share }: GuestTask): Promise<void> {
  const log = EmbeddedLog.open({ path, guest: share });
  const handler: ConsumerHandler = {
    assigned: () => Promise.resolve(null),
    batch: async (batch: RecordBatch) => {
      const { topic, partition, nextOffset } = batch;
      const writer = await log.writer('copy', { topic, partition });
      const records = batch.records.map(({ key, value }) => ({ topic: 'out', partition, key, value }));
      await writer.commit({ records, positions: [{ topic, partition, offset: nextOffset }] });
      await writer.close();
    },
    revoked: () => Promise.resolve(),
  };
  const consumer = log.consumer({ group: 'copy', topics: ['in'], batchRecordsMax: 3 });
  await consumer.start(handler);
  parentPort?.once('message', () => {
    void consumer
      .stop()
      .then(() => log.close())
      .then(() => parentPort?.close());
  });
  parentPort?.postMessage(consumer.health().assigned.map(({ partition }) => partition));
}

if (!isMainThread) await copy(workerData as GuestTask);
