// `npm run test:slow`: the random tests with thousands of runs. Each number can be set in the environment, and a
// failure prints the seed that repeats it. Arguments go through to jest.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const RUNS = {
  SIM_RUNS: '5000',
  CRASH_RUNS: '60',
  CRASH_CALLS: '20',
  FC_RUNS: '40',
  PIPELINE_RUNS: '300',
  SNAPSHOT_RUNS: '300',
  REPARTITION_RUNS: '300',
};
const SPECS = [
  'libs/pipeline/simulation.spec.ts',
  'libs/pipeline/crash-simulation.spec.ts',
  'libs/pipeline/pipeline.property.spec.ts',
  'libs/pipeline/snapshot.property.spec.ts',
  'libs/pipeline/merge-partitions.property.spec.ts',
  'libs/domain/fold.property.spec.ts',
  'libs/domain/fold-windows.property.spec.ts',
  'libs/clickhouse/restate/restate.property.spec.ts',
  'libs/clickhouse/reconcile/reconcile-periods.property.spec.ts',
];

const test = fileURLToPath(new URL('test.mjs', import.meta.url));
const args = process.argv.slice(2);
const child = spawn(process.execPath, [test, '--testTimeout=3600000', ...(args.length > 0 ? args : SPECS)], {
  stdio: 'inherit',
  env: { ...RUNS, ...process.env },
});
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
child.on('exit', (code, signal) => process.exit(signal ? 1 : (code ?? 1)));
