// `npm run test:chaos`: the chaos on real processes in its long form. CHAOS_SEED, CHAOS_FAULTS, CHAOS_KINDS (separated by ;), CHAOS_BROKERS,
// CHAOS_EVENTS_PER_SECOND, CHAOS_PERSONS and CHAOS_PAUSE_MS set what it does; the report goes to CHAOS_REPORT_DIR.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const test = fileURLToPath(new URL('test.mjs', import.meta.url));
const results = fileURLToPath(new URL('../test/chaos/results', import.meta.url));
const args = ['--runInBand', 'test/chaos/chaos.spec.ts', ...process.argv.slice(2)];
const child = spawn(process.execPath, [test, ...args], {
  stdio: 'inherit',
  env: { CHAOS_REPORT_DIR: results, ...process.env, CHAOS_LONG: '1' },
});
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
child.on('exit', (code, signal) => process.exit(signal ? 1 : (code ?? 1)));
