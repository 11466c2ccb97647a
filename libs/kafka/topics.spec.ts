/** What a broker under load answers about a topic that was created a moment ago, which no quiet broker can be made to. */
import { describe, expect, it } from '@jest/globals';
import kafkajs, { type Admin } from 'kafkajs';
import type { TopicSpec } from '#pipeline';
import { CODE } from './errors.js';
import { applyTopics } from './topics.js';

const TOPIC_AUTHORIZATION_FAILED = 29;
const SPEC: TopicSpec = {
  topic: 'touchpoint.order',
  partitions: 2,
  compacted: false,
  retentionMs: 1_000,
  maxMessageBytes: 1_000,
};

/** An answer of the broker in the form in which KafkaJS throws it. */
function refusal(code: number): Error {
  return Object.assign(new kafkajs.KafkaJSError(`error ${code}`), { code });
}

/** A cluster without topics that answers each question for metadata with the next of `refusals`, and then gives it. */
function hesitantAdmin(refusals: number[]) {
  const calls = { created: 0, asked: 0 };
  const admin = {
    listTopics: () => Promise.resolve([]),
    createTopics: () => {
      calls.created += 1;
      return Promise.resolve(true);
    },
    fetchTopicMetadata: () => {
      calls.asked += 1;
      const code = refusals.shift();
      if (code !== undefined) return Promise.reject(refusal(code));
      return Promise.resolve({ topics: [{ name: SPEC.topic, partitions: [] }] });
    },
  };
  return { admin: admin as unknown as Admin, calls };
}

describe('a topic that was just created', () => {
  it('is waited for until the broker that is asked knows it', async () => {
    const { admin, calls } = hesitantAdmin([CODE.unknownTopicOrPartition, 5, CODE.unknownTopicOrPartition]);
    const [step] = await applyTopics(admin, [SPEC], false, -1);
    expect(step?.action).toBe('create');
    expect(calls).toEqual({ created: 1, asked: 4 });
  });

  it('is not waited for where the answer does not change', async () => {
    const { admin, calls } = hesitantAdmin([TOPIC_AUTHORIZATION_FAILED]);
    await expect(applyTopics(admin, [SPEC], false, -1)).rejects.toThrow('error 29');
    expect(calls).toEqual({ created: 1, asked: 1 });
  });
});
