/** Where a page ended, as text that means nothing to whoever carries it. */
import { z } from 'zod';
import { badParameter } from '../http/api-problem.js';

/** ms; what ClickHouse's DateTime64 can hold. */
export const cursorInstant = z.int().min(-2_208_988_800_000).max(9_214_646_400_000);

export function textOfCursor(parts: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify(parts)).toString('base64url');
}

/** Null when the text is none of ours. */
export function partsOfCursor<Parts>(schema: z.ZodType<Parts>, text: string): Parts | null {
  let json: unknown;
  try {
    json = JSON.parse(Buffer.from(text, 'base64url').toString());
  } catch {
    return null;
  }
  return schema.safeParse(json).data ?? null;
}

/**
 * What the parameter `after` says; null where there is none.
 * @throws ApiProblem 400 when it is no cursor
 */
export function cursorAfter<Cursor>(
  after: string | undefined,
  read: (text: string) => Cursor | null,
): Cursor | null {
  if (after === undefined) return null;
  const cursor = read(after);
  if (cursor === null) throw badParameter('after', 'after: expected the `next` of an answer');
  return cursor;
}
