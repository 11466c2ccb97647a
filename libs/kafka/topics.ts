import kafkajs, { type Admin, type IResourceConfigEntry } from 'kafkajs';
import type { TopicPlanStep, TopicSpec } from '#pipeline';

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
  await admin.deleteTopics({ topics: [topic], timeout: 30_000 });
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
  const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: topic }],
  });
  const entries = resources[0]?.configEntries ?? [];
  return {
    partitions: topics[0]?.partitions.length ?? 0,
    settings: asMap(entries),
    own: asMap(entries.filter(({ configSource }) => Number(configSource) === SET_ON_TOPIC)),
  };
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
  if (topics.length > 0) await admin.createTopics({ topics, waitForLeaders: true, timeout: 30_000 });
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
