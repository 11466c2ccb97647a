import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { describe, expect, it } from '@jest/globals';
import { ROOT } from './compose-file.js';

const stages = readFileSync(`${ROOT}deploy/Dockerfile`, 'utf8')
  .replaceAll(/^\s*#.*\n/gm, '')
  .replaceAll(/\\\n/g, ' ')
  .split(/^(?=FROM )/m)
  .slice(1)
  .map((stage) => stage.split('\n').filter((line) => line !== ''));
const image = stages.at(-1) ?? [];
const ignored = readFileSync(`${ROOT}.dockerignore`, 'utf8').split('\n');

/** Sources of the COPY lines of a stage that are taken from the checkout. */
function copiedFromCheckout(stage: readonly string[]): string[] {
  return stage
    .filter((line) => line.startsWith('COPY ') && !line.includes('--from='))
    .flatMap((line) =>
      line
        .split(/\s+/)
        .filter((part) => !part.startsWith('--'))
        .slice(1, -1),
    );
}

describe('deploy/Dockerfile', () => {
  it('ends in an image of its own without build tools, as another user than root', () => {
    expect(stages).toHaveLength(2);
    expect(image).toContain('USER node');
    const user = image.indexOf('USER node');
    expect(image.slice(user).some((line) => line.startsWith('RUN '))).toBe(false);
    expect(image.some((line) => /npm|apt/.test(line))).toBe(false);
    expect(image.some((line) => line.startsWith('HEALTHCHECK '))).toBe(true);
    expect(image).toContain('ENTRYPOINT ["node", "--enable-source-maps"]');
  });

  it('copies what exists and is not kept out of the build', () => {
    for (const source of stages.flatMap(copiedFromCheckout)) {
      expect([source, existsSync(`${ROOT}${source}`)]).toEqual([source, true]);
      expect(ignored).not.toContain(source.split('/')[0]);
    }
  });

  it('takes along what the services read at run time', () => {
    expect(copiedFromCheckout(image)).toEqual(
      expect.arrayContaining([
        ...['package.json', 'schemas', 'deploy/clickhouse', 'deploy/healthcheck.mjs'],
        'apps/console/web',
      ]),
    );
  });
});

describe('deploy/healthcheck.mjs', () => {
  it.each([
    [200, 0],
    [503, 1],
  ])('turns %i into exit code %i', async (status, exitCode) => {
    const asked: (string | undefined)[] = [];
    const server = createServer((request, response) => {
      asked.push(request.url);
      response.writeHead(status).end('{}');
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    expect(await healthcheck(port)).toBe(exitCode);
    expect(asked).toEqual(['/health/ready']);
    server.close();
    await once(server, 'close');
    expect(await healthcheck(port)).toBe(1);
  });
});

async function healthcheck(port: number): Promise<number | null> {
  const env = { PATH: process.env.PATH, GRAVITY_PORT: String(port) };
  const child = spawn(process.execPath, [`${ROOT}deploy/healthcheck.mjs`, 'ready'], { env, stdio: 'ignore' });
  await once(child, 'close');
  return child.exitCode;
}
