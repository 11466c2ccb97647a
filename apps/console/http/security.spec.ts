import { createServer, request, type Server } from 'node:http';
import { afterEach, describe, expect, it } from '@jest/globals';
import express from 'express';
import { hostCheck, readOnly, securityHeaders } from './security.js';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.close();
    server.closeAllConnections();
  }
});

async function statusOf(
  host: string,
  listening: string,
  allowed: readonly string[] = [],
  method = 'GET',
): Promise<number> {
  const app = express();
  app.use(hostCheck(listening, allowed), securityHeaders(), readOnly());
  app.get('/', (_request, response) => void response.send('ok'));
  const server = createServer(app);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port, headers: { host }, method, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    })
      .on('error', reject)
      .end();
  });
}

describe('readOnly', () => {
  it.each([
    ['GET', 200],
    ['HEAD', 200],
    ['POST', 405],
    ['OPTIONS', 405],
    ['PROPFIND', 405],
  ])('answers %s with %i', async (method, status) => {
    expect(await statusOf('localhost', '127.0.0.1', [], method)).toBe(status);
  });
});

describe('hostCheck', () => {
  it.each(['127.0.0.1:8080', 'localhost:8080', 'LOCALHOST', '[::1]:8080'])('lets %s in', async (host) => {
    expect(await statusOf(host, '127.0.0.1')).toBe(200);
  });

  it('refuses a name that somebody has pointed at the loopback address', async () => {
    expect(await statusOf('rebound.example:8080', '127.0.0.1')).toBe(421);
    expect(await statusOf('rebound.example:8080', '127.0.0.1', ['rebound.example'])).toBe(200);
  });

  it('answers to any name on an address that others reach', async () => {
    expect(await statusOf('gravity.example', '0.0.0.0')).toBe(200);
  });
});
