/** The README's first command, and Ctrl-C. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TempDir } from '#testing';
import { StandaloneProcess, stretched } from './standalone-process.js';

const MINUTES_MS = 240_000;

describe('npm start', () => {
  let directory: TempDir;
  let app: StandaloneProcess | null = null;
  beforeAll(() => {
    directory = new TempDir('npm-start');
  });
  afterAll(() => {
    app?.kill();
    directory.remove();
  });

  it(
    'answers, and ends cleanly when its process group is interrupted',
    async () => {
      app = StandaloneProcess.npmStart(directory.path);
      const url = await app.listens();
      await app.started();
      expect((await fetch(`${url}/health/ready`)).status).toBe(200);
      expect((await fetch(url)).headers.get('content-type')).toContain('text/html');
      const { code, tookMs } = await app.interrupt();
      expect([code, app.text()]).toEqual([0, expect.stringContaining('"failures":[]')]);
      expect(tookMs).toBeLessThan(stretched(5_000));
    },
    MINUTES_MS,
  );
});
