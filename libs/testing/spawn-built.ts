import { spawn, type ChildProcess } from 'node:child_process';
import { builtFile } from './places.js';

/**
 * Runs a file of this repository in a Node process of its own; stderr is shared.
 * @param path  of its source, from the root of the repository
 * @param env   of the new process; by default this one's
 */
export function spawnBuilt(
  path: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): ChildProcess {
  const command = [builtFile(path), ...args];
  return spawn(process.execPath, command, { stdio: ['ignore', 'pipe', 'inherit'], env });
}
