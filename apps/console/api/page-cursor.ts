import { z } from 'zod';
import type { TierChangeCursor } from '#clickhouse';
import { cursorInstant, partsOfCursor, textOfCursor } from './cursor.js';

const VERSION_MAX = 2n ** 64n - 1n;

const PARTS = z.tuple([
  cursorInstant,
  z
    .string()
    .regex(/^\d{1,20}$/)
    .transform(BigInt)
    .refine((version) => version <= VERSION_MAX),
  z.string(),
  z.string(),
]);

/** Where a page of tier changes ended. */
export function cursorText({ detectedAt, version, person, schemeId }: TierChangeCursor): string {
  return textOfCursor([detectedAt, version.toString(), person, schemeId]);
}

/** Null when the text is none of ours. */
export function cursorFromText(text: string): TierChangeCursor | null {
  const parts = partsOfCursor(PARTS, text);
  if (parts === null) return null;
  const [detectedAt, version, person, schemeId] = parts;
  return { detectedAt, version, person, schemeId };
}
