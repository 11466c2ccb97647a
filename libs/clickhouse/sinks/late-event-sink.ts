import { type ClickHouse } from '../clickhouse.js';
import { TableWriter } from './table-writer.js';

/** An event that came after some ends of a window had become final. */
export interface LateEvent {
  readonly brand: string;
  readonly channel: string;
  readonly window: string;
  readonly eventId: string;
  readonly person: string;
  readonly at: number;
  readonly arrivedAt: number;
  /** The final ends it missed, [missedFrom, missedTo), ms. */
  readonly missedFrom: number;
  readonly missedTo: number;
  readonly partition: number;
  readonly generation: number;
  readonly version: bigint;
}

const COLUMNS = [
  ...['brand', 'channel', 'window', 'event_id', 'person', 'at', 'arrived_at', 'missed_from', 'missed_to'],
  ...['partition', 'generation', 'version'],
];

/** The ledger of late events; one per event and window, so repeating it changes nothing. */
export class LateEventSink {
  readonly #writer: TableWriter<LateEvent>;

  constructor(clickhouse: ClickHouse) {
    this.#writer = new TableWriter<LateEvent>(clickhouse, 'gravity.late_events', COLUMNS, (late) => [
      late.brand,
      late.channel,
      late.window,
      late.eventId,
      late.person,
      late.at,
      late.arrivedAt,
      late.missedFrom,
      late.missedTo,
      late.partition,
      late.generation,
      late.version.toString(),
    ]);
  }

  write(events: readonly LateEvent[]): Promise<void> {
    return this.#writer.write(events);
  }
}
