/** For the specs: orders in a currency that intake refuses, on any log, and their dead letters. */
import { SOURCE_TOPICS, type Codecs } from '#contracts';
import { type AdmissionLimits, DEFAULT_ADMISSION_LIMITS, type SourceTouchpoint } from '#domain';
import { IntakeWorker, TOPICS, type Log } from '#pipeline';
import { feed, SILENT_INTAKE } from '#testing';
import { sourceOrder } from '../../libs/testing/source-kit.js';

export interface Refusal {
  readonly log: Log;
  readonly codecs: Codecs;
  readonly pseudonymise: (topic: string, event: SourceTouchpoint) => SourceTouchpoint;
  readonly persons: readonly string[];
  /** Of all orders, ms. */
  readonly at: number;
}

const ORDERS = { topic: SOURCE_TOPICS.order, partition: 0 };
const LIMITS: AdmissionLimits = { ...DEFAULT_ADMISSION_LIMITS, currency: 'CNY' };

/** One order in euro of each person, and one record of rubbish. */
export async function refuseOrders({ log, codecs, pseudonymise, persons, at }: Refusal): Promise<void> {
  const orders = persons.map((person) =>
    codecs.sourceEncoder.encode(
      sourceOrder({
        ...{ eventId: `order-${person}`, orderId: `order-${person}`, person, brand: 'shop', occurredAt: at },
        ...{ currency: 'EUR', amountMinor: 700, origin: 'REPLAY' },
      }),
    ),
  );
  const records = [...orders, Buffer.from('no Avro at all')].map((value) => ({
    ...ORDERS,
    key: null,
    value,
  }));
  await log.append(records);
  const worker = new IntakeWorker(
    {
      log,
      group: 'intake',
      sourceCodec: codecs.source,
      logCodec: codecs.log,
      progressCodec: codecs.intakeProgress,
      deadLetterCodec: codecs.deadLetter,
      pseudonymise,
      limits: LIMITS,
      partitions: {
        relationshipLog: (await log.ends(TOPICS.relationshipLog)).length,
        intakeProgress: 1,
        deadLetters: 1,
      },
    },
    SILENT_INTAKE,
    Date.now,
  );
  await feed(log, worker, ORDERS);
  await worker.revoked(ORDERS);
}
