import type { Checkpoint } from '#pipeline';

/** JSON: it is one small value per write, and worth reading with any tool when something is wrong. */
export function encodeCheckpoint(checkpoint: Checkpoint): Buffer {
  return Buffer.from(JSON.stringify(checkpoint));
}

/** @throws when the stored text is not a checkpoint */
export function decodeCheckpoint(stored: Buffer): Checkpoint {
  const text = stored.toString('utf8');
  const checkpoint = checkpointFrom(JSON.parse(text));
  if (checkpoint === null) throw new Error(`the stored checkpoint is unreadable: ${text}`);
  return checkpoint;
}

/** @returns null for what is not a checkpoint */
export function checkpointFrom(raw: unknown): Checkpoint | null {
  if (typeof raw !== 'object' || raw === null) return null;
  const { logId, epoch, generation, foldVersion, offset, lastApplied, watermark } =
    raw as Partial<Checkpoint>;
  if (
    typeof logId === 'string' &&
    typeof epoch === 'number' &&
    typeof generation === 'number' &&
    typeof foldVersion === 'number' &&
    typeof offset === 'number' &&
    typeof watermark === 'number' &&
    lastApplied !== undefined &&
    (lastApplied === null || (typeof lastApplied.offset === 'number' && typeof lastApplied.hash === 'string'))
  ) {
    return { logId, epoch, generation, foldVersion, offset, lastApplied, watermark };
  }
  return null;
}
