/** For the specs of the replay: a real embedded log, read back as sentences. */
import {
  DeadLetterCodec,
  LocalSchemaRegistry,
  RelationshipLogCodec,
  SchemaCatalog,
  topicSpecs,
} from '#contracts';
import type { LogEntry } from '#domain';
import { EmbeddedLog } from '#embedded-log';
import { partitionOf, TOPICS, type StoredDeadLetter } from '#pipeline';
import type { ReplayPlan, ReplayTarget } from './replay-plan.js';

export interface ReplayLog extends ReplayTarget {
  readonly log: EmbeddedLog;
  readonly partitions: number;
  deadLetters(): Promise<StoredDeadLetter[]>;
}

export async function openReplayLog(path: string, partitions: number): Promise<ReplayLog> {
  const catalog = SchemaCatalog.load();
  const registry = new LocalSchemaRegistry(catalog);
  const log = EmbeddedLog.open({ path });
  await log.applyTopics(topicSpecs({ relationshipLogPartitions: partitions }), false);
  const deadLetterCodec = await DeadLetterCodec.open(registry, catalog);
  return {
    log,
    logCodec: await RelationshipLogCodec.open(registry, catalog),
    deadLetterCodec,
    newLogId: '00000000-0000-4000-8000-000000000001',
    partitions,
    deadLetters: async () => {
      const letters: StoredDeadLetter[] = [];
      for await (const batch of log.read({ topic: TOPICS.deadLetters, partition: 0 }, 0)) {
        for (const { value } of batch.records)
          if (value !== null) letters.push(deadLetterCodec.decode(value));
      }
      return letters;
    },
  };
}

export function planFor(files: readonly string[], sortDirectory: string): ReplayPlan {
  return {
    files: files.map((path) => ({ path, name: path.split('/').at(-1) ?? path })),
    reading: {
      columns: {
        person: 'person',
        time: 'time',
        amount: 'amount',
        quantity: null,
        price: null,
        order: 'order',
        kind: null,
      },
      header: true,
      delimiter: ',',
      timeFormat: 'auto',
      timeZone: 'UTC',
      purchaseKinds: ['purchase'],
      refundKinds: ['refund'],
      zeroOrders: 'count',
      currency: 'CNY',
    },
    sequencing: { brand: 'b', members: 'buyers', currency: 'CNY' },
    wish: { dayZone: null, defaultDayZone: 'UTC', zeroOrderCounts: true, fineRowsMs: 48 * 3_600_000 },
    speed: 'max',
    pseudonyms: null,
    sortDirectory,
  };
}

/**
 * The entries of a partition as sentences; instants of writing are left out, since they differ from run to run.
 * @param persons   also those of these persons that lie in other partitions, in the order of the partition's own
 */
export async function describeLog(
  target: ReplayLog,
  partition: number,
  persons: readonly string[] = [],
): Promise<string[]> {
  const partitions = new Set([
    partition,
    ...persons.map((person) => partitionOf(`b\0${person}`, target.partitions)),
  ]);
  const merged: { readonly line: string; readonly at: number; readonly rank: number }[] = [];
  for (const one of partitions) {
    let at = 0;
    for await (const batch of target.log.read({ topic: TOPICS.relationshipLog, partition: one }, 0)) {
      for (const { value } of batch.records) {
        const entry = target.logCodec.decode(value);
        const isControl = entry.type === 'tick' || entry.type === 'rulesSet' || entry.type === 'epochRaised';
        if ('at' in entry) at = entry.at;
        if (one === partition || !isControl)
          merged.push({ line: sentence(entry), at, rank: isControl ? 0 : 1 });
      }
    }
  }
  if (partitions.size === 1) return merged.map(({ line }) => line);
  return merged.sort((left, right) => left.at - right.at || left.rank - right.rank).map(({ line }) => line);
}

function sentence(entry: LogEntry): string {
  const at = 'at' in entry ? new Date(entry.at).toISOString() : '';
  switch (entry.type) {
    case 'tick':
      return `tick ${at}`;
    case 'rulesSet':
      return `rulesSet ${/"zone":"([^"]*)"/.exec(entry.rulesJson)?.[1] ?? '?'}`;
    case 'epochRaised':
      return `epochRaised ${entry.epoch}`;
    case 'link':
      return `${at} ${entry.person} ${entry.on ? 'joins' : 'leaves'} ${entry.eventId}`;
    case 'orderPaid':
      return `${at} ${entry.person} pays ${entry.amountMinor} for ${entry.orderId} ${entry.eventId}`;
    case 'orderRefunded':
      return `${at} ${entry.person} gets ${entry.amountMinor} for ${entry.orderId} ${entry.eventId}`;
    default:
      return `${at} ${entry.type}`;
  }
}
