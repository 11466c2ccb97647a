import { z } from 'zod';
import type { LateEventCursor } from '#clickhouse';
import { cursorInstant, partsOfCursor, textOfCursor } from './cursor.js';

const PARTS = z.tuple([cursorInstant, z.string(), z.string(), z.string()]);

/** Where a page of the late ledger ended. */
export function lateCursorText({ at, window, eventId, person }: LateEventCursor): string {
  return textOfCursor([at, window, eventId, person]);
}

/** Null when the text is none of ours. */
export function lateCursorFromText(text: string): LateEventCursor | null {
  const parts = partsOfCursor(PARTS, text);
  if (parts === null) return null;
  const [at, window, eventId, person] = parts;
  return { at, window, eventId, person };
}
