/** Run by `replay-kill.spec.ts`: replays a file into an embedded log and says each commit, until it is killed. */
import { replay } from './replay.js';
import { openReplayLog, planFor } from './replay-fixture.js';

const [directory = '', sort = '', file = ''] = process.argv.slice(2);
const target = await openReplayLog(directory, 2);
const report = await replay(
  { ...planFor([file], sort), batchRowsMax: 20, runRowsMax: 500 },
  () => Promise.resolve(target),
  {
    progress: (progress) =>
      progress.phase === 'write' ? process.stdout.write(`${progress.rowsDone}\n`) : undefined,
  },
  new AbortController().signal,
);
await target.log.close();
process.stdout.write(`${report.status}\n`);
