#!/usr/bin/env -S node --max-semi-space-size=128 --single-threaded-gc
// The `gravity` command: runs the built form, and builds it first in a fresh checkout.
// A replay's threads keep every processor busy, so help of further threads in collecting garbage only gets in the way.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import module from 'node:module';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const main = new URL('../../../dist/apps/cli/main.js', import.meta.url);

if (!existsSync(fileURLToPath(main))) {
  process.stderr.write('gravity: not built yet; running `npm run build` …\n');
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const built = spawnSync(npm, ['run', '--silent', 'build'], { cwd: root, stdio: ['ignore', 2, 2] });
  if (built.status !== 0 || !existsSync(fileURLToPath(main))) {
    process.stderr.write(`gravity: could not be built; run \`npm run build\` in ${root}\n`);
    process.exit(1);
  }
}
// From Node 22 on; of a short command, compiling what it loads is a quarter.
module.enableCompileCache?.();
await import(main.href);
