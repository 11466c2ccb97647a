import { describe, expect, it } from '@jest/globals';
import { mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { ClickHouseFailure } from '#clickhouse';
import { plainFailure } from './plain-failure.js';

function thrownBy(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

describe('a failure that is not the program’s', () => {
  it.each([
    ['/nonexistent/a: no such file or directory', () => readFileSync('/nonexistent/a')],
    ['/dev/null/a: not a directory', () => mkdirSync('/dev/null/a', { recursive: true })],
    ['/dev/null: file already exists', () => mkdirSync('/dev/null')],
    ['/tmp: illegal operation on a directory', () => openSync('/tmp', 'w')],
  ])('is one line with its path: %s', (line, work) => {
    expect(plainFailure(thrownBy(work))).toBe(line);
    expect(plainFailure(new Error('while it opened', { cause: thrownBy(work) }))).toBe(line);
  });

  it('is one line also where the system does not know the path', () => {
    expect(plainFailure(thrownBy(() => writeFileSync('/dev/full', 'x')))).toMatch(
      /^\S.*no space left on device/i,
    );
  });

  it('is ClickHouse, away or refusing; a statement that is wrong is ours', () => {
    const away = new ClickHouseFailure('connect ECONNREFUSED 127.0.0.1:1\n  at x', 'ECONNREFUSED', null);
    expect(plainFailure(away)).toBe('ClickHouse: connect ECONNREFUSED 127.0.0.1:1');
    expect(plainFailure(new ClickHouseFailure('no such column', '47', 'UNKNOWN_IDENTIFIER'))).toBeNull();
  });

  it('keeps the stack of everything else', () => {
    expect(plainFailure(new TypeError('x is not a function'))).toBeNull();
    expect(plainFailure('text')).toBeNull();
  });
});
