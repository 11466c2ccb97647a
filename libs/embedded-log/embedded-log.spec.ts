import { logContract, TempDir } from '#testing';
import { EmbeddedLog } from './index.js';

logContract('embedded', () => {
  const dir = new TempDir('log');
  const log = EmbeddedLog.open({ path: dir.path, backoffMs: { first: 5, most: 50 } });
  return Promise.resolve({
    log,
    async cleanup() {
      await log.close();
      dir.remove();
    },
  });
});
