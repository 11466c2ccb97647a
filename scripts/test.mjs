// `npm test`: builds (the processes that tests start are the built ones), then jest with the flag that lets it load ES
// modules. Arguments go through to jest.
// The run has a directory that its workers share (test/servers); servers started for it end with this process.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const { resolve } = createRequire(import.meta.url);
const build = spawnSync(process.execPath, [resolve('typescript/bin/tsc'), '-p', 'tsconfig.build.json'], {
  stdio: 'inherit',
});
if (build.status !== 0) process.exit(build.status ?? 1);

const jest = resolve('jest/bin/jest');
const runDirectory = mkdtempSync(join(tmpdir(), 'test-run-'));
process.on('exit', () => rmSync(runDirectory, { recursive: true, force: true }));

const child = spawn(
  process.execPath,
  ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', jest, ...process.argv.slice(2)],
  {
    stdio: 'inherit',
    env: { ...process.env, TEST_RUN_DIR: runDirectory, TEST_RUN_PID: String(process.pid) },
  },
);
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
child.on('exit', (code, signal) => process.exit(signal ? 1 : (code ?? 1)));
