/** The manifest of a snapshot as text: JSON, to be read with any tool, and with a checksum of its own. */
import { createHash } from 'node:crypto';
import { SnapshotTornError, type SnapshotFile, type SnapshotManifest } from '#pipeline';
import { checkpointFrom } from './checkpoint-codec.js';

const FORMAT = 'channel-gravity snapshot 1';

export function encodeManifest({
  partition,
  checkpoint,
  takenAt,
  files,
}: Omit<SnapshotManifest, 'id'>): string {
  const body = { format: FORMAT, partition, takenAt: new Date(takenAt).toISOString(), checkpoint, files };
  return `${JSON.stringify({ ...body, checksum: checksumOf(body) }, null, 2)}\n`;
}

/** @throws SnapshotTornError */
export function decodeManifest(id: string, text: string): SnapshotManifest {
  const { checksum, ...body } = recordFrom(text);
  if (body['format'] !== FORMAT)
    throw new SnapshotTornError(`is of format ${JSON.stringify(body['format'])}`);
  if (checksum !== checksumOf(body)) throw new SnapshotTornError('has a manifest whose checksum is wrong');
  const { partition, takenAt } = body;
  const checkpoint = checkpointFrom(body['checkpoint']);
  const files = Array.isArray(body['files']) ? body['files'].map(fileFrom) : [];
  if (
    typeof partition !== 'number' ||
    typeof takenAt !== 'string' ||
    checkpoint === null ||
    files.length === 0
  ) {
    throw new SnapshotTornError('has a manifest that says too little');
  }
  return { id, partition, checkpoint, takenAt: Date.parse(takenAt), files };
}

function checksumOf(body: object): string {
  return createHash('sha256').update(JSON.stringify(body)).digest('hex');
}

function recordFrom(text: string): Record<string, unknown> {
  try {
    const raw: unknown = JSON.parse(text);
    if (typeof raw === 'object' && raw !== null) return { ...raw };
  } catch {
    // Said below.
  }
  throw new SnapshotTornError('has a manifest that is not JSON');
}

function fileFrom(raw: unknown): SnapshotFile {
  if (typeof raw === 'object' && raw !== null) {
    const { name, bytes, sha256 } = raw as Partial<SnapshotFile>;
    if (typeof name === 'string' && typeof bytes === 'number' && typeof sha256 === 'string') {
      return { name, bytes, sha256 };
    }
  }
  throw new SnapshotTornError('has a manifest that says too little of its files');
}
