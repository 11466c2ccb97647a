/** For the specs: `gravity` as built, in a process of its own and with an environment of its own. */
import { spawn } from 'node:child_process';
import { builtFile } from './places.js';

export interface GravityOutcome {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Nothing of the shell that runs the tests. */
export function commandEnvironment(env: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'], LOG_LEVEL: 'error', ...env };
}

/** @param killAfterMs   a signal so long after it has said `killOn`: by default, that it opens the log */
export function runGravity(
  argv: readonly string[],
  env: Readonly<Record<string, string>>,
  killAfterMs?: number,
  killSignal: 'SIGKILL' | 'SIGINT' = 'SIGKILL',
  killOn = 'opening',
): Promise<GravityOutcome> {
  const child = spawn(process.execPath, [builtFile('apps/cli/main.ts'), ...argv], {
    env: commandEnvironment(env),
  });
  const texts = { out: '', err: '' };
  let isDoomed = false;
  child.stdout.on('data', (chunk: Buffer) => (texts.out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => {
    texts.err += chunk.toString();
    if (killAfterMs === undefined || isDoomed || !texts.err.includes(killOn)) return;
    isDoomed = true;
    setTimeout(() => child.kill(killSignal), killAfterMs);
  });
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, ...texts })));
}
