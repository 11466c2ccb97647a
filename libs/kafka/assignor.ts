import type { StoredState, TopicPartition } from '#pipeline';

export interface Member {
  readonly id: string;
  readonly topics: readonly string[];
  /** What the member had until now. */
  readonly held: readonly TopicPartition[];
  /** Whose state lies on the member's disk, from an earlier time. */
  readonly stored: readonly StoredState[];
}

/**
 * Shares the partitions of each topic out evenly (counts differ by one at most) and leaves as many as possible
 * where they are, because a partition that moves takes its state with it: the new owner has to rebuild it. What has
 * to move goes to where its state was before: after a restart one by one everybody has what he had.
 */
export function assignPartitions(
  members: readonly Member[],
  partitionsOf: ReadonlyMap<string, readonly number[]>,
): Map<string, TopicPartition[]> {
  const assignment = new Map(members.map(({ id }): [string, TopicPartition[]] => [id, []]));
  for (const [topic, partitions] of [...partitionsOf].sort(([a], [b]) => compare(a, b))) {
    const takers = members.filter(({ topics }) => topics.includes(topic)).sort((a, b) => compare(a.id, b.id));
    for (const [id, own] of shareTopic(topic, partitions, takers, assignment))
      assignment.get(id)?.push(...own);
  }
  return assignment;
}

function shareTopic(
  topic: string,
  partitions: readonly number[],
  takers: readonly Member[],
  soFar: ReadonlyMap<string, readonly TopicPartition[]>,
): Map<string, TopicPartition[]> {
  const shares = new Map(takers.map(({ id }): [string, TopicPartition[]] => [id, []]));
  if (takers.length === 0) return shares;
  const fair = Math.floor(partitions.length / takers.length);
  let extras = partitions.length % takers.length;
  const left = new Set(partitions);
  const keep = (id: string, partition: number): void => {
    shares.get(id)?.push({ topic, partition });
    left.delete(partition);
  };
  // First what each may keep for certain, then one more for some who had more than that.
  for (const limit of [fair, fair + 1]) {
    for (const taker of takers) {
      const { id } = taker;
      for (const one of givenUpLast(taker, topic, takers)) {
        const count = shares.get(id)?.length ?? 0;
        if (!left.has(one.partition) || count >= limit) continue;
        if (limit > fair) {
          if (extras === 0) continue;
          extras -= 1;
        }
        keep(id, one.partition);
      }
    }
  }
  for (const { id, partition } of byStoredState(topic, takers)) {
    const count = shares.get(id)?.length ?? 0;
    if (!left.has(partition) || count > fair || (count === fair && extras === 0)) continue;
    if (count === fair) extras -= 1;
    keep(id, partition);
  }
  // The rest goes to whoever has least, over all topics.
  for (const partition of [...left].sort((a, b) => a - b)) {
    const load = ({ id }: Member): number => (soFar.get(id)?.length ?? 0) + (shares.get(id)?.length ?? 0);
    const count = ({ id }: Member): number => shares.get(id)?.length ?? 0;
    const next = [...takers].sort(
      (a, b) => count(a) - count(b) || load(a) - load(b) || compare(a.id, b.id),
    )[0];
    if (next !== undefined) keep(next.id, partition);
  }
  return shares;
}

/** What a member holds of a topic: first what nobody else has any state of, last what another has most of. */
function givenUpLast(
  { id, held }: Member,
  topic: string,
  takers: readonly Member[],
): readonly TopicPartition[] {
  const elsewhere = new Map<number, number>();
  for (const { id: other, partition, offset } of byStoredState(topic, takers)) {
    if (other !== id && !elsewhere.has(partition)) elsewhere.set(partition, offset);
  }
  const reach = ({ partition }: TopicPartition): number => elsewhere.get(partition) ?? -1;
  return held.filter((one) => one.topic === topic).sort((a, b) => reach(a) - reach(b));
}

/** Who has state of which partitions of the topic: first where it reaches furthest. */
function byStoredState(
  topic: string,
  takers: readonly Member[],
): readonly { readonly id: string; readonly partition: number; readonly offset: number }[] {
  return takers
    .flatMap(({ id, stored }) =>
      stored.filter((one) => one.topic === topic).map(({ partition, offset }) => ({ id, partition, offset })),
    )
    .sort((a, b) => b.offset - a.offset || a.partition - b.partition || compare(a.id, b.id));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
