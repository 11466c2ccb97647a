import { createServer } from 'node:net';
import { expect, it } from '@jest/globals';
import { createClickHouse } from './create-clickhouse.js';
import { type ReadyStatus, waitUntilReady } from './wait-until-ready.js';

async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

it('reports each failure of a server that is away with growing pauses, until aborted', async () => {
  const clickhouse = await createClickHouse({ url: `http://127.0.0.1:${await closedPort()}` });
  const statuses: ReadyStatus[] = [];
  const abort = new AbortController();
  const waiting = waitUntilReady(
    clickhouse,
    (status) => {
      statuses.push(status);
      if (statuses.length === 4) abort.abort();
    },
    { firstDelayMs: 1, delayMsMax: 3, signal: abort.signal },
  );
  await expect(waiting).rejects.toThrow(/abort/i);
  expect(
    statuses.map((status) => (status.ready ? 'ready' : [status.failure.code, status.nextTryMs])),
  ).toEqual([1, 2, 3, 3].map((delay) => ['ECONNREFUSED', delay]));
  expect(statuses.every((status) => !status.ready && status.failure.retryable)).toBe(true);
  await clickhouse.close();
});

it('returns with the first answer', async () => {
  let calls = 0;
  const statuses: ReadyStatus[] = [];
  const ping = () => (++calls < 3 ? Promise.reject(new Error('away')) : Promise.resolve());
  await waitUntilReady({ ping }, (status) => statuses.push(status), { firstDelayMs: 1 });
  expect(statuses.map(({ ready }) => ready)).toEqual([false, false, true]);
});
