import { SignalGate } from '#runtime';
import { runCli } from './program.js';
import { EXIT } from './exit-codes.js';
import { reasonOf } from './plain-failure.js';

const abort = new AbortController();
const gate = new SignalGate();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    const signalled = gate.next();
    // A second signal does not wait for the end of the batch.
    if (signalled === 'again') process.exit(EXIT.interrupted);
    if (signalled === 'first') abort.abort();
  });
}
// `gravity tiers | head` closes the pipe early, and that is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(EXIT.ok);
  process.stderr.write(`gravity: stdout: ${reasonOf(error)}\n`);
  process.exit(EXIT.failure);
});

process.exitCode = await runCli(process.argv.slice(2), {
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
  isTerminal: process.stderr.isTTY,
  env: process.env,
  signal: abort.signal,
});
