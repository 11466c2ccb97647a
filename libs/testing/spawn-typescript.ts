import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Runs a TypeScript file of this repository in a Node process of its own, without a build; stderr is shared. */
export function spawnTypeScript(file: string | URL, args: readonly string[]): ChildProcess {
  const register = new URL('./typescript-register.mjs', import.meta.url);
  const path = typeof file === 'string' ? file : fileURLToPath(file);
  return spawn(process.execPath, ['--import', register.href, path, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}
