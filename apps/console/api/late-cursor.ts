/** Where a page of the late ledger ended, as text that means nothing to whoever carries it. */
import { z } from 'zod';
import { type LateEventCursor } from '#clickhouse';

const CURSOR = z.tuple([
  z.int().min(-2_208_988_800_000).max(9_214_646_400_000),
  z.string(),
  z.string(),
  z.string(),
]);

export function lateCursorText({ at, window, eventId, person }: LateEventCursor): string {
  return Buffer.from(JSON.stringify([at, window, eventId, person])).toString('base64url');
}

/** Null when the text is none of ours. */
export function lateCursorFromText(text: string): LateEventCursor | null {
  let json: unknown;
  try {
    json = JSON.parse(Buffer.from(text, 'base64url').toString());
  } catch {
    return null;
  }
  const read = CURSOR.safeParse(json);
  if (!read.success) return null;
  const [at, window, eventId, person] = read.data;
  return { at, window, eventId, person };
}
