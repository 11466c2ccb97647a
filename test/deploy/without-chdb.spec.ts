import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { builtFile } from '#testing';

const HOOK = new URL('./absent-packages.mjs', import.meta.url).href;

/** Runs an app's `--help`, for which all its modules have to load. */
async function helpOf(app: string, absent: string): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, ['--import', HOOK, builtFile(`apps/${app}/main.ts`), '--help'], {
    env: { PATH: process.env.PATH, SPEC_ABSENT_PACKAGES: absent },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const take = (chunk: Buffer): void => {
    output += chunk.toString();
  };
  child.stdout.on('data', take);
  child.stderr.on('data', take);
  await once(child, 'close');
  return { code: child.exitCode, output };
}

describe('the image, which has no chdb', () => {
  it.each(['intake', 'relationship', 'archive', 'console', 'simulator'])('loads %s', async (app) => {
    const { code, output } = await helpOf(app, 'chdb,typescript');
    expect(output).toContain('CLICKHOUSE_URL');
    expect(code).toBe(0);
  });
});
