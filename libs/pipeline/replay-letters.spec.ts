import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { SOURCE_TOPICS } from '#contracts';
import { type AdmissionLimits, DEFAULT_ADMISSION_LIMITS, type SourceTouchpoint } from '#domain';
import { batchesOf, PATIENT, PipelineWorld, SILENT_INTAKE } from '#testing';
import { FaultPlan, faultyLog, type Fault } from '../testing/faulty-ports.js';
import { sourceOrder } from '../testing/source-kit.js';
import type { StoredDeadLetter } from './codecs.js';
import { IntakeWorker } from './intake-worker.js';
import { OwnershipLostError, type Log } from './log.js';
import { replayLetters, type ReplayedLetter, type ReplayLettersPorts } from './replay-letters.js';
import { TOPICS } from './topics.js';

const ORDERS = { topic: SOURCE_TOPICS.order, partition: 0 };
const BEFORE: AdmissionLimits = { ...DEFAULT_ADMISSION_LIMITS, currency: 'CNY' };
/** The fix: the brand's currency is known now. */
const AFTER: AdmissionLimits = { ...BEFORE, currencies: new Map([['brand', 'EUR']]) };
const MINUTE = 60_000;

describe('a replay of dead letters', () => {
  let world: PipelineWorld;
  /** The broker's clock, ms. */
  let clock: number;
  beforeEach(async () => {
    clock = 1_700_000_000_000;
    world = await PipelineWorld.open(2, () => clock);
  });
  afterEach(() => world.close());

  function ports(changes: Partial<ReplayLettersPorts> = {}): ReplayLettersPorts {
    return {
      log: world.log,
      sourceCodec: world.codecs.source,
      logCodec: world.codecs.log,
      pseudonymise: (_, event) => event,
      limits: AFTER,
      partitions: { relationshipLog: 2 },
      sourceTopics: new Set<string>([...Object.values(SOURCE_TOPICS), 'no-such-topic']),
      ...changes,
    };
  }

  /** Sends events, takes them in by the old limits, and answers what was refused. */
  async function refused(...events: readonly SourceTouchpoint[]): Promise<readonly StoredDeadLetter[]> {
    for (const event of events) {
      const value = world.codecs.sourceEncoder.encode(event);
      await world.log.append([{ ...ORDERS, key: null, value }]);
    }
    const worker = new IntakeWorker(
      {
        ...ports({ limits: BEFORE }),
        group: 'intake',
        progressCodec: world.codecs.intakeProgress,
        deadLetterCodec: world.codecs.deadLetter,
        partitions: { relationshipLog: 2, intakeProgress: 1, deadLetters: 1 },
      },
      SILENT_INTAKE,
      () => clock,
    );
    const position = await worker.assigned(ORDERS);
    for await (const batch of batchesOf(world.log, ORDERS, position, () => 100))
      await worker.batch(batch, PATIENT);
    await worker.revoked(ORDERS);
    return letters();
  }

  const letters = async (): Promise<StoredDeadLetter[]> =>
    (await world.values(TOPICS.deadLetters)).map((value) => world.codecs.deadLetter.decode(value));
  const entries = async () => [...(await world.entries(0)), ...(await world.entries(1))];
  const outcomes = (replayed: readonly ReplayedLetter[]) => replayed.map(({ outcome }) => outcome);
  const inEuro = (orderId: string, occurredAt = clock) =>
    sourceOrder({ orderId, occurredAt, currency: 'EUR', person: orderId });
  const run = (all: readonly StoredDeadLetter[], changes: Partial<ReplayLettersPorts> = {}, dryRun = false) =>
    replayLetters(all, ports(changes), { dryRun });

  it('takes in what is an event now, as it would have been then', async () => {
    // The producer's clock is five minutes slow, which intake puts right by the arrival.
    const slow = { ...inEuro('o1'), occurredAt: clock - 6 * MINUTE, sentAt: clock - 5 * MINUTE };
    const all = await refused(slow, sourceOrder({ occurredAt: clock, orderId: 'fine' }));
    expect(all).toMatchObject([{ reason: 'WRONG_CURRENCY', source: { offset: 0 } }]);
    const arrivedAt = clock;
    clock += 3 * 24 * 60 * MINUTE;
    expect(outcomes(await run(all))).toEqual(['replayed']);
    expect((await entries()).filter((entry) => 'eventId' in entry)).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          orderId: 'o1',
          at: arrivedAt - MINUTE,
          arrivedAt,
          clockShiftMs: 5 * MINUTE,
        }),
      ]),
    );
  });

  it('counts once, however often it is asked for', async () => {
    const all = await refused(inEuro('o1'), inEuro('o2'));
    expect(outcomes(await run(all.slice(0, 1)))).toEqual(['replayed']);
    clock += MINUTE;
    expect(outcomes(await run([...all, ...all]))).toEqual(['known', 'replayed', 'known', 'replayed']);
    expect(await entries()).toHaveLength(2);
    expect(outcomes(await run(all))).toEqual(['known', 'known']);
    expect(await entries()).toHaveLength(2);
  });

  it('leaves what is no event still where it is, and says why today', async () => {
    const negative = { ...inEuro('o2'), amountMinor: -1 };
    const all = await refused(inEuro('o1'), negative);
    expect(all.map(({ reason }) => reason)).toEqual(['WRONG_CURRENCY', 'NEGATIVE_AMOUNT']);
    expect(await run(all)).toMatchObject([
      { outcome: 'replayed' },
      { outcome: 'refused', reason: 'NEGATIVE_AMOUNT' },
    ]);
    expect(await letters()).toHaveLength(2);
    expect(await entries()).toHaveLength(1);
  });

  it('writes nothing when it is only asked what would be', async () => {
    const all = await refused(inEuro('o1'), inEuro('o2'));
    await run(all.slice(0, 1));
    expect(outcomes(await run(all, {}, true))).toEqual(['known', 'replayed']);
    expect(await entries()).toHaveLength(1);
  });

  it('fetches what was cut from its source, where that still has it', async () => {
    const [letter] = await refused(inEuro('o1'));
    if (letter === undefined) throw new Error('no letter');
    const cut = { ...letter, value: letter.value?.subarray(0, 10) ?? null, truncated: true };
    const elsewhere = { ...cut, sha256: '00' };
    const gone = { ...cut, source: { ...ORDERS, offset: 99 } };
    const noTopic = { ...cut, source: { topic: 'no-such-topic', partition: 0, offset: 0 } };
    expect(outcomes(await run([elsewhere, gone, noTopic, cut]))).toEqual(['cut', 'cut', 'cut', 'replayed']);
    expect(await entries()).toHaveLength(1);
  });

  it('leaves a row of a recorded file alone, which is no record of a topic', async () => {
    const [letter] = await refused(inEuro('o1'));
    if (letter === undefined) throw new Error('no letter');
    const row = { ...letter, source: { topic: 'orders.csv', partition: 0, offset: 17 } };
    expect(outcomes(await run([row, letter]))).toEqual(['recorded', 'replayed']);
  });

  it('knows a record by what it says too: a topic that was made anew counts its positions from 0', async () => {
    const [letter] = await refused(inEuro('o1'));
    if (letter === undefined) throw new Error('no letter');
    await run([letter]);
    const value = world.codecs.sourceEncoder.encode(inEuro('another'));
    const other = { ...letter, value, sizeBytes: value.length };
    expect(outcomes(await run([letter, other]))).toEqual(['known', 'replayed']);
    expect(await entries()).toHaveLength(2);
  });

  it.each<Fault>(['aborted', 'unknown, done', 'unknown, not done', 'killed before', 'killed after'])(
    'may be repeated after a commit that went wrong: %s',
    async (fault) => {
      const all = await refused(inEuro('o1'), inEuro('o2'));
      const plan = new FaultPlan([{ call: 'writer.commit', nth: 0, fault }]);
      await expect(run(all, { log: faultyLog(world.log, plan) })).rejects.toThrow();
      await run(all);
      expect(await entries()).toHaveLength(2);
    },
  );

  it('is fenced by a later one, which finds what it has written', async () => {
    const all = await refused(inEuro('o1'), inEuro('o2'));
    const slow: Log = Object.assign(Object.create(world.log) as Log, {
      // The other one runs from start to end while this one looks at the log.
      settled: async () => {
        await run(all);
      },
      ends: () => Promise.resolve([]),
    });
    await expect(run(all, { log: slow })).rejects.toThrow(OwnershipLostError);
    expect(await entries()).toHaveLength(2);
  });
});
