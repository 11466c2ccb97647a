import kafkajs, { type Admin, type IResourceConfigEntry, type ITopicMetadata } from 'kafkajs';
import type { TopicPlanStep, TopicSpec } from '#pipeline';
import { Backoff } from './backoff.js';
import { isTransient } from './errors.js';

interface Found {
  readonly partitions: number;
  readonly settings: ReadonlyMap<string, string>;
  /** Those that were set on the topic itself. */
  readonly own: ReadonlyMap<string, string>;
}

interface Plan {
  readonly spec: TopicSpec;
  readonly step: TopicPlanStep;
  readonly found: Found | null;
}

/** For a request to be done, and again for all brokers to know of it. */
const TIMEOUT_MS = 30_000;
/** `ConfigSource.DYNAMIC_TOPIC_CONFIG` of the protocol. */
const SET_ON_TOPIC = 1;

/**
 * Brings topics to their specifications. A conflict leaves its topic as it is; the others are applied.
 * @param replicationFactor of new topics; −1 is the broker's default
 */
export async function applyTopics(
  admin: Admin,
  specs: readonly TopicSpec[],
  dryRun: boolean,
  replicationFactor: number,
): Promise<TopicPlanStep[]> {
  const existing = new Set(await admin.listTopics());
  const plans: Plan[] = [];
  for (const spec of specs) {
    const found = existing.has(spec.topic) ? await describe(admin, spec.topic) : null;
    plans.push({ spec, found, step: planStep(spec, found) });
  }
  if (!dryRun) {
    await createTopics(admin, plans, replicationFactor);
    for (const plan of plans) await alterTopic(admin, plan);
  }
  return plans.map(({ step }) => step);
}

/** @throws when the topic does not exist */
export async function dropTopic(admin: Admin, topic: string): Promise<void> {
  await admin.deleteTopics({ topics: [topic], timeout: TIMEOUT_MS });
}

export async function membersOf(admin: Admin, group: string): Promise<number> {
  const { groups } = await admin.describeGroups([group]);
  return groups[0]?.members.length ?? 0;
}

function planStep(spec: TopicSpec, found: Found | null): TopicPlanStep {
  const step = (action: TopicPlanStep['action'], detail: string): TopicPlanStep => ({
    topic: spec.topic,
    action,
    detail,
  });
  if (found === null) {
    return step('create', `${spec.partitions} partitions${spec.compacted ? ', compacted' : ''}`);
  }
  if (spec.partitions < found.partitions) {
    return step('conflict', `has ${found.partitions} partitions, which cannot become ${spec.partitions}`);
  }
  const wanted = settingsOf(spec);
  const policy = found.settings.get('cleanup.policy') ?? 'delete';
  if (policy !== wanted.get('cleanup.policy')) {
    return step('conflict', `was created with cleanup.policy ${policy}`);
  }
  const changes = [...wanted]
    .filter(([name, value]) => found.settings.get(name) !== value)
    .map(([name, value]) => `${name} ${found.settings.get(name) ?? 'unset'} → ${value}`);
  if (spec.partitions > found.partitions)
    changes.unshift(`partitions ${found.partitions} → ${spec.partitions}`);
  return changes.length === 0 ? step('none', 'as wanted') : step('alter', changes.join(', '));
}

function settingsOf(spec: TopicSpec): Map<string, string> {
  return new Map([
    ['cleanup.policy', spec.compacted ? 'compact' : 'delete'],
    ['retention.ms', String(spec.retentionMs)],
    ['max.message.bytes', String(spec.maxMessageBytes)],
    // Arrival is the broker's clock, whatever a producer says (a record's timestamp in the log port).
    ['message.timestamp.type', 'LogAppendTime'],
  ]);
}

async function describe(admin: Admin, topic: string): Promise<Found> {
  const [metadata] = await metadataOf(admin, [topic]);
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: topic }],
  });
  const entries = resources[0]?.configEntries ?? [];
  return {
    partitions: metadata?.partitions.length ?? 0,
    settings: asMap(entries),
    own: asMap(entries.filter(({ configSource }) => Number(configSource) === SET_ON_TOPIC)),
  };
}

/**
 * Waits until the broker that is asked knows the topics with their leaders. One that has not heard of a topic yet
 * answers that it does not exist, and KafkaJS's own wait after a creation takes that for the end.
 */
async function metadataOf(admin: Admin, topics: string[]): Promise<readonly ITopicMetadata[]> {
  const deadline = Date.now() + TIMEOUT_MS;
  const backoff = new Backoff(20, 500);
  for (;;) {
    try {
      return (await admin.fetchTopicMetadata({ topics })).topics;
    } catch (error) {
      if (!isTransient(error) || Date.now() >= deadline) throw error;
      await backoff.wait();
    }
  }
}

function asMap(entries: readonly { configName: string; configValue: string }[]): Map<string, string> {
  return new Map(entries.map(({ configName, configValue }) => [configName, configValue]));
}

async function createTopics(admin: Admin, plans: readonly Plan[], replicationFactor: number): Promise<void> {
  const topics = plans
    .filter(({ step }) => step.action === 'create')
    .map(({ spec }) => ({
      topic: spec.topic,
      numPartitions: spec.partitions,
      replicationFactor,
      configEntries: asEntries(settingsOf(spec)),
    }));
  if (topics.length === 0) return;
  await admin.createTopics({ topics, waitForLeaders: false, timeout: TIMEOUT_MS });
  await metadataOf(
    admin,
    topics.map(({ topic }) => topic),
  );
}

async function alterTopic(admin: Admin, { spec, step, found }: Plan): Promise<void> {
  if (step.action !== 'alter' || found === null) return;
  if (spec.partitions > found.partitions) {
    await admin.createPartitions({ topicPartitions: [{ topic: spec.topic, count: spec.partitions }] });
  }
  // AlterConfigs replaces all of a topic's own settings: what an operator has set stays.
  const configEntries = asEntries(new Map([...found.own, ...settingsOf(spec)]));
  await admin.alterConfigs({
    validateOnly: false,
    resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: spec.topic, configEntries }],
  });
}

function asEntries(settings: ReadonlyMap<string, string>): IResourceConfigEntry[] {
  return [...settings].map(([name, value]) => ({ name, value }));
}
