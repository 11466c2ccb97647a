import type { TopicPartition, TopicPlanStep, TopicSpec } from '#pipeline';
import type { LogEnvironment } from './log-environment.js';

export class UnknownPartitionError extends Error {
  override readonly name = 'UnknownPartitionError';
}

export interface Topic extends TopicSpec {
  /** Stands for the name in the keys of batches. */
  readonly id: number;
}

/** One partition of an existing topic. */
export interface PartitionRef extends TopicPartition {
  readonly topicId: number;
}

const TOPIC_NAME = /^[A-Za-z0-9._-]{1,249}$/;
const KEY_PREFIX = 't\0';
/** Two bytes of a batch key each. */
const PARTITIONS_MAX = 0xffff;

/** The topics of a log: what each was created with, kept in memory and in the environment. */
export class TopicCatalog {
  private readonly topics = new Map<string, Topic>();

  constructor(private readonly environment: LogEnvironment) {
    const range = { start: Buffer.from(KEY_PREFIX), end: Buffer.from('t\x01') };
    for (const { value } of environment.meta.getRange(range)) {
      const topic = parseTopic(value.toString('utf8'));
      this.topics.set(topic.topic, topic);
    }
  }

  all(): Iterable<Topic> {
    return this.topics.values();
  }

  find(name: string): Topic | undefined {
    return this.topics.get(name);
  }

  /** @throws UnknownPartitionError */
  topic(name: string): Topic {
    const topic = this.topics.get(name);
    if (topic === undefined) throw new UnknownPartitionError(`the log has no topic "${name}"`);
    return topic;
  }

  /** @throws UnknownPartitionError */
  partition({ topic: name, partition }: TopicPartition): PartitionRef {
    const topic = this.topic(name);
    if (!Number.isInteger(partition) || partition < 0 || partition >= topic.partitions) {
      throw new UnknownPartitionError(
        `topic "${name}" has partitions 0 to ${topic.partitions - 1}, not ${partition}`,
      );
    }
    return { topicId: topic.id, topic: name, partition };
  }

  /** A conflict leaves its topic as it is; the other topics are applied. */
  apply(specs: readonly TopicSpec[], dryRun: boolean): TopicPlanStep[] {
    const steps = specs.map((spec) => planStep(spec, this.topics.get(spec.topic)));
    if (dryRun) return steps;
    const changed: Topic[] = [];
    let nextId = Math.max(0, ...[...this.topics.values()].map((topic) => topic.id)) + 1;
    specs.forEach((spec, i) => {
      const action = steps[i]?.action;
      if (action !== 'create' && action !== 'alter') return;
      const id = this.topics.get(spec.topic)?.id ?? nextId++;
      changed.push({ ...spec, id });
    });
    this.environment.transact(() => {
      for (const topic of changed) {
        const key = Buffer.from(KEY_PREFIX + topic.topic);
        void this.environment.meta.put(key, Buffer.from(JSON.stringify(topic)));
      }
    });
    for (const topic of changed) this.topics.set(topic.topic, topic);
    return steps;
  }

  /** Its name only: another topic may get its id, so everything else has to be gone by then. */
  drop(name: string): void {
    this.environment.transact(() => void this.environment.meta.remove(Buffer.from(KEY_PREFIX + name)));
    this.topics.delete(name);
  }
}

function planStep(spec: TopicSpec, found: Topic | undefined): TopicPlanStep {
  const step = (action: TopicPlanStep['action'], detail: string): TopicPlanStep => ({
    topic: spec.topic,
    action,
    detail,
  });
  if (!TOPIC_NAME.test(spec.topic)) return step('conflict', 'a name is 1 to 249 of A-Z a-z 0-9 . _ -');
  if (!Number.isInteger(spec.partitions) || spec.partitions < 1 || spec.partitions > PARTITIONS_MAX) {
    return step('conflict', `${spec.partitions} is no number of partitions`);
  }
  const kept = spec.retentionMs === -1 ? '' : '; the embedded log keeps records for ever';
  if (found === undefined) {
    const kind = spec.compacted ? ', compacted' : '';
    return step('create', `${spec.partitions} partitions${kind}${kept}`);
  }
  if (spec.partitions < found.partitions) {
    return step('conflict', `has ${found.partitions} partitions, which cannot become ${spec.partitions}`);
  }
  if (spec.compacted !== found.compacted) {
    return step('conflict', `was created ${found.compacted ? '' : 'not '}compacted`);
  }
  const changes = (['partitions', 'retentionMs', 'maxMessageBytes'] as const)
    .filter((name) => spec[name] !== found[name])
    .map((name) => `${name} ${found[name]} → ${spec[name]}`);
  return changes.length === 0 ? step('none', 'as wanted') : step('alter', changes.join(', ') + kept);
}

function parseTopic(text: string): Topic {
  const raw: unknown = JSON.parse(text);
  if (typeof raw === 'object' && raw !== null) {
    const { id, topic, partitions, compacted, retentionMs, maxMessageBytes } = raw as Partial<Topic>;
    if (
      typeof id === 'number' &&
      typeof topic === 'string' &&
      typeof partitions === 'number' &&
      typeof compacted === 'boolean' &&
      typeof retentionMs === 'number' &&
      typeof maxMessageBytes === 'number'
    ) {
      return { id, topic, partitions, compacted, retentionMs, maxMessageBytes };
    }
  }
  throw new Error(`the log's topic entry is unreadable: ${text}`);
}
