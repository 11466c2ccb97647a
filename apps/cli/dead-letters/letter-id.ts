/** `TOPIC/PARTITION/OFFSET`: a dead letter by where its record was read. */
import type { SourcePosition } from '#domain';
import { usageError } from '../exit-codes.js';

export function letterId({ topic, partition, offset }: SourcePosition): string {
  return `${topic}/${partition}/${offset}`;
}

/** @throws CliError (usage) */
export function parseLetterId(text: string): SourcePosition {
  const [, topic, partition, offset] = /^(.+)\/(\d+)\/(\d+)$/.exec(text) ?? [];
  if (topic === undefined || !Number.isSafeInteger(Number(offset))) {
    throw usageError(`${text}: expected TOPIC/PARTITION/OFFSET, as \`gravity dead-letters list\` prints it`);
  }
  return { topic, partition: Number(partition), offset: Number(offset) };
}
