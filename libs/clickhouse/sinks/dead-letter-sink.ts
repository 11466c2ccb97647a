import type { StoredDeadLetter } from '#pipeline';
import type { ClickHouse } from '../clickhouse.js';
import { TableWriter } from './table-writer.js';

const COLUMNS = [
  ...['reason', 'topic', 'partition', 'offset', 'arrived_at', 'detail', 'key_base64', 'bytes_base64'],
  ...['truncated', 'sha256', 'size'],
];

function base64(bytes: Buffer | null): string {
  return bytes?.toString('base64') ?? '';
}

/** Stores records that are no events; topic, partition and offset identify one, so repeating it changes nothing. */
export class DeadLetterSink {
  readonly #writer: TableWriter<StoredDeadLetter>;

  constructor(clickhouse: ClickHouse) {
    this.#writer = new TableWriter<StoredDeadLetter>(
      clickhouse,
      'gravity.dead_letters',
      COLUMNS,
      (letter) => [
        letter.reason,
        letter.source.topic,
        letter.source.partition,
        letter.source.offset,
        letter.arrivedAt,
        letter.detail,
        base64(letter.key),
        base64(letter.value),
        letter.truncated,
        letter.sha256,
        letter.sizeBytes,
      ],
    );
  }

  write(letters: Iterable<StoredDeadLetter>): Promise<void> {
    return this.#writer.write(letters);
  }
}
