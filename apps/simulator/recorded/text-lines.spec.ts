import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { readLineBlocks, UnreadableFileError } from './text-lines.js';

describe('readLineBlocks', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'lines-'));
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  async function lines(content: Buffer): Promise<(string | null)[]> {
    const file = join(directory, 'input');
    writeFileSync(file, content);
    const found: (string | null)[] = [];
    for await (const block of readLineBlocks(file)) found.push(...block.map(({ text }) => text));
    return found;
  }

  it.each([
    ['plain', Buffer.from('a\nb')],
    ['with a BOM', Buffer.from('\uFEFFa\nb\n')],
    ['gzip, whatever its name', gzipSync('a\nb\n')],
    ['gzip with a BOM', gzipSync('\uFEFFa\nb\n')],
    ['gzip of two members', Buffer.concat([gzipSync('a\n'), gzipSync('b\n')])],
  ])('%s', async (_, content) => {
    expect(await lines(content)).toEqual(['a', 'b']);
  });

  it('keeps letters whole across pieces, and marks bytes that are no UTF-8', async () => {
    const long = '情'.repeat(300_000);
    expect(await lines(Buffer.from(`${long}\nb`))).toEqual([long, 'b']);
    expect(await lines(Buffer.from([0x61, 0xff, 0x62, 0x0a, 0x63]))).toEqual(['a\uFFFDb', 'c']);
  });

  it('answers the hash of the bytes as they lie there', async () => {
    const file = join(directory, 'input');
    writeFileSync(file, 'abc');
    const blocks = readLineBlocks(file);
    let next = await blocks.next();
    while (next.done !== true) next = await blocks.next();
    expect(next.value).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  });

  it('names the file that cannot be read', async () => {
    const missing = join(directory, 'absent.csv');
    await expect(readLineBlocks(missing).next()).rejects.toThrow(UnreadableFileError);
    await expect(readLineBlocks(missing).next()).rejects.toThrow('absent.csv');
    await expect(readLineBlocks(directory).next()).rejects.toThrow('not a file');
    await expect(lines(Buffer.from('\uFEFFa', 'utf16le'))).rejects.toThrow('UTF-16');
    await expect(lines(gzipSync('a\nb\n'.repeat(9999)).subarray(0, 60))).rejects.toThrow(UnreadableFileError);
  });
});
