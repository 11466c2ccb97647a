import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { PLANTED_FAULTS } from './planted-faults.js';

const textOf = (file: string): string =>
  readFileSync(new URL(`../../libs/domain/windows/${file}`, import.meta.url), 'utf8');

describe('the faults that a run of mutations plants', () => {
  it('still fit the code, each in one place', () => {
    const misplaced = PLANTED_FAULTS.filter(({ file, text }) => textOf(file).split(text).length !== 2);
    expect(misplaced).toEqual([]);
  });

  it('are faults, and each is there once', () => {
    for (const { text, instead } of PLANTED_FAULTS) expect(instead).not.toBe(text);
    const all = PLANTED_FAULTS.map(({ file, text, instead }) => JSON.stringify([file, text, instead]));
    expect(new Set(all).size).toBe(all.length);
  });
});
