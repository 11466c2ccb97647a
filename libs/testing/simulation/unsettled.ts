import { ARCHIVED_TOPICS, TOPICS } from '#pipeline';
import type { Broker } from './broker.js';
import type { SimulatedProcess } from './simulated-process.js';
import { TRAFFIC_TOPICS } from './traffic.js';

/** What is still to be read, folded, ticked or sent; empty when nothing is. */
export function unsettled({
  broker,
  processes,
}: {
  readonly broker: Broker;
  readonly processes: readonly SimulatedProcess[];
}): string {
  const left: string[] = [];
  const readToEnd = (group: string, topics: readonly string[]): void => {
    for (const topic of topics) {
      for (const { partition, end } of broker.ends(topic)) {
        const committed = broker.committed(group, { topic, partition }) ?? 0;
        if (committed < end) left.push(`${group} is at ${committed} of ${end} of ${topic}-${partition}`);
      }
    }
  };
  readToEnd('intake', TRAFFIC_TOPICS);
  readToEnd('relationship', [TOPICS.relationshipLog]);
  readToEnd('archive', ARCHIVED_TOPICS);
  const states = processes.flatMap(({ worker }) => worker?.states() ?? []);
  for (const { partition, end } of broker.ends(TOPICS.relationshipLog)) {
    const owned = states.filter((state) => state.partition === partition);
    if (owned.length !== 1) left.push(`partition ${partition} has ${owned.length} owners`);
    for (const { position, moreDue, outbox } of owned) {
      if (position < end) left.push(`partition ${partition} is folded to ${position} of ${end}`);
      if (moreDue) left.push(`persons of partition ${partition} are due`);
      if (outbox.size > 0) left.push(`${outbox.size} rows of partition ${partition} wait`);
    }
  }
  return left.join('; ');
}
