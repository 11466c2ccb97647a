/** Where a page of tier changes ended, as text that means nothing to whoever carries it. */
import { z } from 'zod';
import { type TierChangeCursor } from '#clickhouse';

const VERSION_MAX = 2n ** 64n - 1n;

const CURSOR = z.tuple([
  z.int().min(-2_208_988_800_000).max(9_214_646_400_000),
  z
    .string()
    .regex(/^\d{1,20}$/)
    .transform(BigInt)
    .refine((version) => version <= VERSION_MAX),
  z.string(),
  z.string(),
]);

export function cursorText({ detectedAt, version, person, schemeId }: TierChangeCursor): string {
  return Buffer.from(JSON.stringify([detectedAt, version.toString(), person, schemeId])).toString(
    'base64url',
  );
}

/** Null when the text is none of ours. */
export function cursorFromText(text: string): TierChangeCursor | null {
  let json: unknown;
  try {
    json = JSON.parse(Buffer.from(text, 'base64url').toString());
  } catch {
    return null;
  }
  const read = CURSOR.safeParse(json);
  if (!read.success) return null;
  const [detectedAt, version, person, schemeId] = read.data;
  return { detectedAt, version, person, schemeId };
}
