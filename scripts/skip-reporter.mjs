// Last word of a run: which tests were skipped and why, and one plain line with the counts.
// With CI=true a skip that this machine does not excuse (test/servers) fails the run.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export default class SkipReporter {
  #failure;

  onRunComplete(_contexts, results) {
    const notes = readNotes();
    if (results.numPendingTests > 0) {
      console.error(`\n!!! ${results.numPendingTests} TESTS WERE SKIPPED`);
      for (const { title, reason } of notes) console.error(`!!! ${title}: ${reason}`);
    }
    const unexcused = notes.filter(({ excused }) => !excused);
    if (process.env.CI === 'true' && unexcused.length > 0) {
      this.#failure = new Error(`${unexcused.length} suites were skipped, which CI=true does not allow`);
    }
    // A suite that could not be loaded has no tests to count, and must not pass for none failed.
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites + (this.#failure ? 1 : 0);
    console.log(`${results.numPassedTests} passed, ${failed} failed`);
  }

  getLastError() {
    return this.#failure;
  }
}

function readNotes() {
  const file = join(process.env.TEST_RUN_DIR ?? '', 'skipped.jsonl');
  if (!process.env.TEST_RUN_DIR || !existsSync(file)) return [];
  return readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}
