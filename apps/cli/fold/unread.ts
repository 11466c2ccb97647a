import type { Log } from '#pipeline';

/** Records of the topics that a group has not committed yet. */
export async function unreadBy(
  log: Pick<Log, 'ends' | 'committed'>,
  group: string,
  topics: readonly string[],
): Promise<number> {
  let left = 0;
  for (const topic of topics) {
    for (const { partition, start, end } of await log.ends(topic)) {
      const committed = await log.committed(group, { topic, partition });
      left += Math.max(0, end - (committed ?? start));
    }
  }
  return left;
}
