import type { RecordBatch, TopicPartition } from '#pipeline';
import type { ClusterLink } from './cluster-link.js';
import { CODE, KafkaCodeError } from './errors.js';
import { partitionEnds } from './offsets.js';
import { decodeRecordSet } from './record-batch-decoder.js';
import { persist, type Attempts } from './retry.js';
import { fetchRecords } from './wire.js';

const READ_BYTES_MAX = 4 * 1024 * 1024;
const TAIL_WAIT_MS = 500;

/**
 * Committed records of one partition outside any group, fetched from its leader: KafkaJS itself reads only as a
 * group member. Batches come without control records; what retention has cut is skipped.
 */
export async function* readPartition(
  link: ClusterLink,
  input: TopicPartition,
  from: number,
  to: number | undefined,
  attempts: Attempts,
): AsyncGenerator<RecordBatch> {
  const ends = await persist(link, attempts, () => partitionEnds(link, input));
  const end = Math.min(to ?? ends.end, ends.end);
  let position = Math.max(from, ends.start);
  while (position < end) {
    const batch = await persist(link, attempts, () => fetchBatch(link, input, position, 0));
    position = batch.nextOffset;
    const isLast = batch.nextOffset >= end;
    const records = isLast ? batch.records.filter(({ offset }) => offset < end) : batch.records;
    if (records.length > 0) yield { ...batch, records, nextOffset: Math.min(batch.nextOffset, end) };
  }
}

/** The same from `from` on without end, until `signal` aborts. */
export async function* tailPartition(
  link: ClusterLink,
  input: TopicPartition,
  from: number,
  signal: AbortSignal,
  attempts: Attempts,
): AsyncGenerator<RecordBatch> {
  let position = from;
  // A fetch that waits for records is cut off at once.
  const cut = (): void => link.close();
  signal.addEventListener('abort', cut, { once: true });
  try {
    while (!signal.aborted) {
      const batch = await persist(link, attempts, () => fetchBatch(link, input, position, TAIL_WAIT_MS));
      position = batch.nextOffset;
      if (batch.records.length > 0) yield batch;
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    signal.removeEventListener('abort', cut);
  }
}

async function fetchBatch(
  link: ClusterLink,
  input: TopicPartition,
  offset: number,
  waitMs: number,
): Promise<RecordBatch> {
  const leader = await link.leaderOf(input.topic, input.partition);
  const limits = { waitMs, partitionBytesMax: READ_BYTES_MAX };
  const [answer] = await fetchRecords(leader, [{ ...input, offset }], limits);
  if (answer === undefined) throw new KafkaCodeError(-1, `Fetch of ${input.topic}-${input.partition}`);
  if (answer.code === CODE.offsetOutOfRange) {
    const { start, end } = await partitionEnds(link, input);
    // Cut by retention in the meantime; or not there yet, which a tail may wait for.
    const nextOffset = Math.max(offset, start);
    return { ...input, records: [], nextOffset, endOffset: end };
  }
  if (answer.code !== 0) throw new KafkaCodeError(answer.code, `Fetch of ${input.topic}-${input.partition}`);
  const { records, nextOffset } = await decodeRecordSet(answer.bytes, offset, answer.aborted);
  return { ...input, records, nextOffset, endOffset: answer.lastStableOffset };
}
