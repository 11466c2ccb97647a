/** Failures whose cause lies outside of the program: said in one line that names the file, without a stack trace. */
import { getSystemErrorMap, types } from 'node:util';
import { ClickHouseFailure } from '#clickhouse';
import { IncompatibleSchemaError, UnregisteredSchemaError } from '#contracts';
import { ForeignLogDirectoryError } from '#embedded-log';
import { ForeignLogError, LogNotInitialisedError, RegistryUnavailableError } from '#pipeline';
import { DataDirectoryUnusableError, ForeignStoreDirectoryError, TornStoreError } from '#state-store';

const PLAIN = [
  DataDirectoryUnusableError,
  ForeignLogDirectoryError,
  ForeignStoreDirectoryError,
  TornStoreError,
  ForeignLogError,
  LogNotInitialisedError,
  RegistryUnavailableError,
  UnregisteredSchemaError,
  IncompatibleSchemaError,
] as const;
/** CANNOT_OPEN_FILE (somebody else has the directory), UNKNOWN_DATABASE, UNKNOWN_USER, ACCESS_DENIED, AUTHENTICATION_FAILED */
const REFUSALS = new Set(['76', '81', '192', '497', '516']);
const CAUSES_MAX = 5;

/** @returns the line; null for what may be a fault of our own, whose stack somebody needs */
export function plainFailure(error: unknown): string | null {
  let current = error;
  for (let depth = 0; depth < CAUSES_MAX && types.isNativeError(current); depth++) {
    const { message } = current;
    if (PLAIN.some((kind) => current instanceof kind)) return message;
    if (current instanceof ClickHouseFailure && isOutside(current))
      return `ClickHouse: ${firstLine(message)}`;
    const said = systemFailure(current);
    if (said !== null) return said;
    current = current.cause;
  }
  return null;
}

/** The server is away, or refuses whoever asks; but not that a statement of ours is wrong. */
function isOutside({ retryable, type, code }: ClickHouseFailure): boolean {
  return retryable || type === null || REFUSALS.has(code);
}

/** Of the file system or the network: `PATH: no such file or directory`; null for another error. */
export function systemFailure(error: unknown): string | null {
  if (!types.isNativeError(error)) return null;
  const code = textField(error, 'code');
  if (code === null || !/^E[A-Z0-9]+$/.test(code) || textField(error, 'syscall') === null) return null;
  const path = textField(error, 'path');
  return path === null ? firstLine(error.message) : `${path}: ${reasonOf(error)}`;
}

/** What the system says, without the path. */
export function reasonOf(error: unknown): string {
  if (!types.isNativeError(error)) return String(error);
  const errno: unknown = Reflect.get(error, 'errno');
  const known = typeof errno === 'number' ? getSystemErrorMap().get(errno) : undefined;
  return known === undefined ? firstLine(error.message) : known[1];
}

function textField(error: Error, name: string): string | null {
  const value: unknown = Reflect.get(error, name);
  return typeof value === 'string' ? value : null;
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? '';
}
