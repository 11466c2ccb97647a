import kafkajs from 'kafkajs';
import type { ClusterLink } from './cluster-link.js';
import { persist } from './retry.js';

/** Kafka's default of `message.max.bytes`. */
const DEFAULT_BYTES = 1_048_588;
const PATIENCE_MS = 5_000;

/** The largest batch that each topic takes (`max.message.bytes`), asked once per topic. */
export class TopicLimits {
  private readonly known = new Map<string, Promise<number>>();

  constructor(private readonly link: ClusterLink) {}

  messageBytesMax(topic: string): Promise<number> {
    let limit = this.known.get(topic);
    if (limit === undefined) {
      limit = persist(this.link, { deadline: Date.now() + PATIENCE_MS }, () => this.ask(topic));
      this.known.set(topic, limit);
      limit.catch(() => this.known.delete(topic));
    }
    return limit;
  }

  forget(topic: string): void {
    this.known.delete(topic);
  }

  private async ask(topic: string): Promise<number> {
    const broker = await this.link.anyBroker();
    const { resources } = await broker.describeConfigs({
      includeSynonyms: false,
      resources: [
        { type: kafkajs.ConfigResourceTypes.TOPIC, name: topic, configNames: ['max.message.bytes'] },
      ],
    });
    const entry = resources[0]?.configEntries.find(({ configName }) => configName === 'max.message.bytes');
    return entry === undefined ? DEFAULT_BYTES : Number(entry.configValue);
  }
}
