/** A real headless Chromium: that of CHROMIUM_PATH, else the one that comes as a package for Linux on x64. */
import { existsSync } from 'node:fs';
import { describe } from '@jest/globals';
import chromiumPackage from '@sparticuz/chromium';
import { chromium, type Browser } from 'playwright-core';
import { noteSkipped } from '../servers/servers.js';

/** Not the package’s own arguments: they would switch off what the page’s security policy is checked by. */
const ARGUMENTS = ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'];

type Availability =
  | { readonly path: string }
  /** `excused`: nothing could be done about it on this machine. */
  | { readonly reason: string; readonly excused: boolean };

async function findChromium(): Promise<Availability> {
  const own = process.env['CHROMIUM_PATH'];
  if (own !== undefined && own !== '') {
    return existsSync(own) ? { path: own } : { reason: `CHROMIUM_PATH: no ${own}`, excused: false };
  }
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    return { reason: `set CHROMIUM_PATH on ${process.platform} ${process.arch}`, excused: true };
  }
  return { path: await chromiumPackage.executablePath() };
}

async function tryChromium(): Promise<Availability> {
  const found = await findChromium();
  if (!('path' in found)) return found;
  try {
    await (await launch(found.path)).close();
    return found;
  } catch (error) {
    const [first = ''] = String(error).split('\n');
    // libnss3 and libexpat1 on Debian.
    return { reason: `Chromium does not start: ${first}`, excused: false };
  }
}

export function launch(path: string): Promise<Browser> {
  return chromium.launch({ executablePath: path, args: ARGUMENTS, headless: true });
}

/** A suite in a browser; skipped, and reported as such, where none can run. */
export async function describeInBrowser(
  title: string,
  define: (open: () => Promise<Browser>) => void,
): Promise<void> {
  const found = await tryChromium();
  if ('path' in found) {
    describe(title, () => define(() => launch(found.path)));
    return;
  }
  noteSkipped(title, found.reason, found.excused);
  describe.skip(title, () => define(() => Promise.reject(new Error(found.reason))));
}
