import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { CommitAbortedError, CommitUnknownError, OwnershipLostError, type CommitReceipt } from '#pipeline';
import { JointCommits, type Commit, type JointWriter } from './joint-commits.js';

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Transactions that are answered when they are told to be. */
class Coordinator {
  readonly transactions: {
    readonly leader: string;
    readonly offsets: number[];
    readonly witnesses: number;
  }[] = [];
  readonly answers: ((error: Error | null) => void)[] = [];

  writer(name: string): JointWriter & { loss: Error | null; isUnanswered: boolean } {
    return {
      loss: null,
      isUnanswered: false,
      assertHeld: () => Promise.resolve(),
      transact: ({ positions }, witnesses) => {
        const offsets = positions.map(({ offset }) => offset);
        this.transactions.push({ leader: name, offsets, witnesses: witnesses.length });
        return new Promise<CommitReceipt>((resolve, reject) =>
          this.answers.push((error) => (error === null ? resolve({ appendedAt: 1 }) : reject(error))),
        );
      },
    };
  }

  async answer(error: Error | null = null): Promise<void> {
    while (this.answers.length === 0) await turn();
    this.answers.shift()?.(error);
    await turn();
    await turn();
  }
}

function commitOf(offset: number, records = 1): Commit {
  return {
    records: Array.from({ length: records }, () => ({ topic: 't', partition: 0, key: null, value: null })),
    positions: [{ topic: 'in', partition: 0, offset }],
  };
}

function outcomeOf(committed: Promise<unknown>): { now: unknown } {
  const outcome: { now: unknown } = { now: 'waits' };
  committed.then(
    () => (outcome.now = 'committed'),
    (error: unknown) => (outcome.now = error),
  );
  return outcome;
}

describe('JointCommits', () => {
  it('makes one transaction of what comes in one turn, and of what comes while one is under way', async () => {
    const coordinator = new Coordinator();
    const joint = new JointCommits();
    const [a, b, c] = [coordinator.writer('a'), coordinator.writer('b'), coordinator.writer('c')];
    const outcomes = [joint.commit(a, commitOf(1)), joint.commit(b, commitOf(2))].map(outcomeOf);
    await turn();
    outcomes.push(outcomeOf(joint.commit(c, commitOf(3))));
    await turn();
    expect(coordinator.transactions).toEqual([{ leader: 'a', offsets: [1, 2], witnesses: 1 }]);
    await coordinator.answer();
    expect(outcomes.map(({ now }) => now)).toEqual(['committed', 'committed', 'waits']);
    await coordinator.answer();
    expect(outcomes.map(({ now }) => now)).toEqual(['committed', 'committed', 'committed']);
    expect(coordinator.transactions[1]).toEqual({ leader: 'c', offsets: [3], witnesses: 0 });
  });

  it('begins a second transaction where much waits, and no third', async () => {
    const coordinator = new Coordinator();
    const joint = new JointCommits();
    for (let i = 1; i <= 4; i++) {
      void joint.commit(coordinator.writer(`w${i}`), commitOf(i, 3_000));
      await turn();
      await turn();
    }
    expect(coordinator.transactions.map(({ offsets }) => offsets)).toEqual([[1], [2]]);
    await coordinator.answer();
    expect(coordinator.transactions.map(({ offsets }) => offsets)).toEqual([[1], [2], [3, 4]]);
  });

  it('lets each writer lead in turn', async () => {
    const coordinator = new Coordinator();
    const joint = new JointCommits();
    const writers = ['a', 'b', 'c'].map((name) => coordinator.writer(name));
    for (let round = 0; round < 6; round++) {
      for (const writer of writers) void joint.commit(writer, commitOf(round));
      await coordinator.answer();
    }
    expect(coordinator.transactions.map(({ leader }) => leader).join('')).toBe('abcabc');
  });

  it('tells each what a failure means for it', async () => {
    const coordinator = new Coordinator();
    const joint = new JointCommits();
    const names = ['a', 'b', 'c'] as const;
    const round = async (error: Error, before: (writers: ReturnType<Coordinator['writer']>[]) => void) => {
      const writers = names.map((name) => coordinator.writer(name));
      const outcomes = writers.map((writer, i) => outcomeOf(joint.commit(writer, commitOf(i))));
      await turn();
      before(writers);
      await coordinator.answer(error);
      return outcomes.map(({ now }) => now);
    };
    const aborted = new CommitAbortedError('no');
    const lost = new OwnershipLostError('taken over');
    const isAborted = expect.any(CommitAbortedError);
    const isUnknown = expect.any(CommitUnknownError);
    expect(await round(aborted, () => undefined)).toEqual([aborted, isAborted, isAborted]);
    expect(await round(aborted, ([, b]) => void (b && (b.loss = lost)))).toEqual([aborted, lost, isAborted]);
    expect(await round(lost, () => undefined)).toEqual([lost, isAborted, isAborted]);
    expect(await round(lost, ([a]) => void (a && (a.isUnanswered = true)))).toEqual([
      lost,
      isUnknown,
      isUnknown,
    ]);
    const unknown = new CommitUnknownError('?');
    expect(await round(unknown, () => undefined)).toEqual([unknown, isUnknown, isUnknown]);
  });

  it('commits apart what has failed together', async () => {
    const coordinator = new Coordinator();
    const joint = new JointCommits();
    const writers = ['a', 'b', 'c'].map((name) => coordinator.writer(name));
    const commitAll = (offset: number) =>
      writers.map((writer) => outcomeOf(joint.commit(writer, commitOf(offset))));
    commitAll(1);
    await coordinator.answer(new CommitAbortedError('no'));
    const second = commitAll(2);
    for (const error of [null, new CommitAbortedError('no'), null]) await coordinator.answer(error);
    expect(second.map(({ now }) => now)).toEqual(['committed', expect.any(CommitAbortedError), 'committed']);
    commitAll(3);
    await coordinator.answer();
    expect(coordinator.transactions.map(({ offsets }) => offsets.length)).toEqual([3, 1, 1, 1, 3]);
  });

  it('commits each alone where a record of one fits nowhere', async () => {
    const coordinator = new Coordinator();
    const joint = new JointCommits();
    const outcomes = ['a', 'b'].map((name, i) =>
      outcomeOf(joint.commit(coordinator.writer(name), commitOf(i))),
    );
    const tooLarge = new RangeError('too large');
    await coordinator.answer(tooLarge);
    await coordinator.answer(tooLarge);
    await coordinator.answer();
    expect(outcomes.map(({ now }) => now)).toEqual([tooLarge, 'committed']);
  });

  it('commits everything once, whatever comes when', async () => {
    const step = fc.oneof(
      fc.nat({ max: 12_000 }),
      fc.constant('turn' as const),
      fc.constant('answer' as const),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const coordinator = new Coordinator();
        const joint = new JointCommits();
        const outcomes: { now: unknown }[] = [];
        for (const next of steps) {
          if (next === 'turn') await turn();
          else if (next === 'answer') coordinator.answers.shift()?.(null);
          else {
            const offset = outcomes.length;
            outcomes.push(outcomeOf(joint.commit(coordinator.writer(`w${offset}`), commitOf(offset, next))));
          }
          expect(coordinator.answers.length).toBeLessThanOrEqual(2);
        }
        while (outcomes.some(({ now }) => now !== 'committed')) {
          coordinator.answers.shift()?.(null);
          await turn();
        }
        const committed = coordinator.transactions.flatMap(({ offsets }) => offsets);
        expect(committed.sort((a, b) => a - b)).toEqual(outcomes.map((_, offset) => offset));
      }),
    );
  });
});
