/** `--pseudonymise KEYFILE`: the key in the file. */
import { loadOrCreatePseudonymKey, Pseudonymiser } from '#contracts';
import { keyHashOf } from '../simulator/recorded/replay.js';
import type { ReplayPlan } from '../simulator/recorded/replay-plan.js';
import type { CliIo } from './cli-io.js';
import { type CliError, usageError } from './exit-codes.js';
import { systemFailure, reasonOf } from './plain-failure.js';

/**
 * A key is made on first use, but never behind the user's back: a name that was typed wrong gives everybody another
 * pseudonym.
 *
 * @throws CliError (usage)   no key, or no directory to make one in
 */
function pseudonymKey(path: string, io: CliIo): Buffer {
  try {
    return loadOrCreatePseudonymKey(path, () =>
      io.err(
        `made a new key in ${path}: keep it, since only with it persons get the same pseudonyms again\n`,
      ),
    );
  } catch (error) {
    throw keyError(path, error);
  }
}

/** Pseudonyms by the key in a file; null: persons keep their ids. @throws CliError (usage) */
export function pseudonymsBy(path: string | null, io: CliIo): ReplayPlan['pseudonyms'] {
  if (path === null) return null;
  const key = pseudonymKey(path, io);
  const pseudonymiser = new Pseudonymiser(key);
  return { pseudonymise: (event) => pseudonymiser.apply(event), keyHash: keyHashOf(key) };
}

function keyError(path: string, error: unknown): CliError {
  // What is not the system's says the path itself.
  if (systemFailure(error) === null) return usageError(`--pseudonymise: ${reasonOf(error)}`);
  const hint = ' (a new key is made in a directory that exists only)';
  const isMissing = error instanceof Object && Reflect.get(error, 'code') === 'ENOENT';
  return usageError(`--pseudonymise ${path}: ${reasonOf(error)}${isMissing ? hint : ''}`);
}
