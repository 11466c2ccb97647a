// `npm run test:promotion -- --events 2000000 --seed 11`: a simulated promotion on real Kafka, then `gravity reconcile`.
// Ends with 1 where a figure differs. The report goes to PROMOTION_REPORT_DIR, else to test/promotion/results.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const OPTIONS = {
  '--events': 'PROMOTION_EVENTS',
  '--seed': 'PROMOTION_SEED',
  '--rate': 'PROMOTION_EVENTS_PER_SECOND',
  '--persons': 'PROMOTION_PERSONS',
  '--history-days': 'PROMOTION_HISTORY_DAYS',
  '--history-events-per-day': 'PROMOTION_HISTORY_EVENTS_PER_DAY',
  '--fine-hours': 'PROMOTION_FINE_HOURS',
  '--ends': 'PROMOTION_ENDS',
};
const env = {};
const given = process.argv.slice(2);
for (let n = 0; n < given.length; n += 2) {
  const name = OPTIONS[given[n]];
  if (name === undefined || !/^\d+$/.test(given[n + 1] ?? '')) {
    console.error(`usage: npm run test:promotion -- [${Object.keys(OPTIONS).join(' N] [')} N]`);
    process.exit(2);
  }
  env[name] = given[n + 1];
}
const test = fileURLToPath(new URL('test.mjs', import.meta.url));
const results = fileURLToPath(new URL('../test/promotion/results', import.meta.url));
const child = spawn(process.execPath, [test, '--runInBand', 'test/promotion/promotion.spec.ts'], {
  stdio: 'inherit',
  env: { PROMOTION_REPORT_DIR: results, ...process.env, ...env, PROMOTION_LONG: '1' },
});
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
child.on('exit', (code, signal) => process.exit(signal ? 1 : (code ?? 1)));
