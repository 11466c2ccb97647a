import { randomUUID } from 'node:crypto';

/** Specs share a broker: everything they name is theirs alone. */
export function uniqueName(prefix: string): string {
  return `${prefix}-${randomUUID().slice(0, 8)}`;
}
