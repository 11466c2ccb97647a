/** For a run that has failed: how far everybody has come, how far the missing touchpoints have, and what was said last. */
import { TOPICS } from '#pipeline';
import { SOURCE_KINDS, SOURCE_TOPICS } from '#contracts';
import { ARCHIVE_GROUP, FOLD_GROUP, SOURCE_GROUP, type ChaosWorld } from './chaos-world.js';

const LINES_SHOWN = 15;
const IDS_SHOWN = 5;

export async function whereThingsStand(world: ChaosWorld, missing: readonly string[]): Promise<string> {
  const lines = [`missing: ${missing.length}, such as ${missing.slice(0, IDS_SHOWN).join(', ')}`];
  lines.push(...(await stagesOf(world, new Set(missing))));
  for (const kind of SOURCE_KINDS) lines.push(...(await positions(world, SOURCE_GROUP, SOURCE_TOPICS[kind])));
  lines.push(...(await positions(world, FOLD_GROUP, TOPICS.relationshipLog)));
  lines.push(...(await positions(world, ARCHIVE_GROUP, TOPICS.relationshipLog)));
  for (const { label, process, ownEnds } of world.apps) {
    lines.push(`${label}: ${process.isRunning ? 'runs' : 'does not run'}, ended ${ownEnds} times by itself`);
    lines.push(...process.lines.slice(-LINES_SHOWN).map((line) => `  ${line}`));
  }
  return lines.join('\n');
}

/** How many of them stand in which topic. */
async function stagesOf(world: ChaosWorld, ids: ReadonlySet<string>): Promise<readonly string[]> {
  const { codecs } = world;
  const source = SOURCE_TOPICS.relation;
  const stages: readonly (readonly [topic: string, idOf: (value: Buffer) => string | null])[] = [
    [
      source,
      (value) => {
        const decoded = codecs.source.decode(source, value);
        return decoded.ok ? decoded.event.eventId : null;
      },
    ],
    [
      TOPICS.relationshipLog,
      (value) => {
        const entry = codecs.log.decode(value);
        return 'eventId' in entry ? entry.eventId : null;
      },
    ],
    [TOPICS.tierChanges, (value) => codecs.tierChanged.decode(value).causeEventId],
  ];
  const lines: string[] = [];
  for (const [topic, idOf] of stages) {
    const found = new Set<string>();
    for (const { partition } of await world.log.ends(topic)) {
      for await (const { records } of world.log.read({ topic, partition }, 0)) {
        if (topic === source) await codecs.source.prepare(records.map(({ value }) => value));
        for (const { value } of records) {
          const id = value === null ? null : idOf(value);
          if (id !== null && ids.has(id)) found.add(id);
        }
      }
    }
    lines.push(`of them in ${topic}: ${found.size}`);
  }
  return lines;
}

async function positions(world: ChaosWorld, group: string, topic: string): Promise<readonly string[]> {
  const lines: string[] = [];
  for (const { partition, end } of await world.log.ends(topic)) {
    const committed = await world.log.committed(group, { topic, partition });
    lines.push(`${group} is at ${committed ?? 'no offset'} of ${end} of ${topic}-${partition}`);
  }
  return lines;
}
