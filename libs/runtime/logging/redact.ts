/** Keeps secrets and persons out of the log, whatever part of the program wrote the line. */

const SECRET_KEY = /(password|passwd|secret|token|authorization|api_?key|hmac|credential|cookie)/i;
const PERSON_KEY = /^(person|persons|person_?id|user_?id|customer_?id|buyer_?id|sharer)$/i;
const DEPTH_MAX = 5;

export const REDACTED_SECRET = '[secret]';
export const REDACTED_PERSON = '[person]';

/** A copy of the fields of a log line without values of secrets and of persons' ids. */
export function redactFields(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return redactObject(fields, 0);
}

/** Leaves out the user part of addresses (`http://user:password@host`). */
export function redactText(text: string): string {
  return text.replace(/([a-z][a-z0-9+.-]*:\/\/)[^\s/@]+@/gi, `$1${REDACTED_SECRET}@`);
}

function redactObject(fields: object, depth: number): Record<string, unknown> {
  const clean: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(fields)) {
    if (value === null || value === undefined) clean[key] = value;
    else if (SECRET_KEY.test(key) && typeof value !== 'number' && typeof value !== 'boolean')
      clean[key] = REDACTED_SECRET;
    // A count of persons is a figure, an id is a person.
    else if (PERSON_KEY.test(key) && !(key === 'persons' && typeof value === 'number'))
      clean[key] = REDACTED_PERSON;
    else clean[key] = redactValue(value, depth + 1);
  }
  return clean;
}

function redactValue(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return redactText(value);
  if (typeof value === 'bigint') return value.toString();
  if (value instanceof Error) return redactError(value);
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Date) return value;
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (depth > DEPTH_MAX) return '[deep]';
  if (Array.isArray(value)) return value.map((entry) => redactValue(entry, depth + 1));
  return redactObject(value, depth);
}

interface LoggedError {
  readonly type: string;
  readonly message: string;
  readonly stack: string | undefined;
  readonly code?: unknown;
  readonly cause?: unknown;
}

function redactError(error: Error, depth = 0): LoggedError {
  return {
    type: error.name,
    message: redactText(error.message),
    stack: error.stack === undefined ? undefined : redactText(error.stack),
    ...('code' in error ? { code: error.code } : {}),
    ...(error.cause instanceof Error && depth < DEPTH_MAX
      ? { cause: redactError(error.cause, depth + 1) }
      : {}),
  };
}
