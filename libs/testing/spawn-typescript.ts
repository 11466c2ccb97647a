import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/**
 * Runs a TypeScript file of this repository in a Node process of its own, without a build; stderr is shared.
 * @param env   of the new process; by default this one's
 */
export function spawnTypeScript(
  file: string | URL,
  args: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): ChildProcess {
  const register = new URL('./typescript-register.mjs', import.meta.url);
  const path = typeof file === 'string' ? file : fileURLToPath(file);
  return spawn(process.execPath, ['--import', register.href, path, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env,
  });
}
