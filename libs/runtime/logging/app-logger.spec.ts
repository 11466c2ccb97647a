import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { AppLogger } from './app-logger.js';
import { prettyLine } from './pretty-stream.js';

function recordingLogger(now: () => number = () => 0) {
  const raw: string[] = [];
  const stream = { write: (line: string) => void raw.push(line) };
  const logger = AppLogger.create({ service: 'intake', level: 'debug', stream }, now);
  const lines = (): unknown[] => raw.map((line): unknown => JSON.parse(line));
  return { logger, lines, raw };
}

describe('AppLogger', () => {
  it('writes one JSON object a line', () => {
    const { logger, lines } = recordingLogger();
    logger.child('consumer', { group: 'g' }).info('assigned', { partition: 3, version: 2n ** 60n });
    expect(lines()).toEqual([
      expect.objectContaining({
        level: 30,
        service: 'intake',
        part: 'consumer',
        group: 'g',
        msg: 'assigned',
        partition: 3,
        version: '1152921504606846976',
      }),
    ]);
  });

  it('leaves out secrets and persons', () => {
    const { logger, raw } = recordingLogger();
    logger.child('x', { clickhousePassword: 'hunter2' }).warn('at http://me:hunter2@ch:8123/', {
      person: 'p-17',
      event: { personId: 'p-17', brand: 'b', deep: [{ user_id: 'p-17', token: 'hunter2' }] },
      url: 'kafka://me:hunter2@k:9092',
      err: new Error('cannot reach http://me:hunter2@ch:8123', { cause: new Error('https://a:hunter2@b') }),
      value: Buffer.from('hunter2'),
    });
    expect(raw.join('')).not.toContain('hunter2');
    expect(raw.join('')).not.toContain('p-17');
    expect(raw.join('')).toContain('"brand":"b"');
  });

  it('keeps counts of persons and error details', () => {
    const { logger, lines } = recordingLogger();
    logger.error('failed', { persons: 12, err: Object.assign(new Error('gone'), { code: 'ECONNREFUSED' }) });
    expect(lines()).toEqual([
      expect.objectContaining({
        persons: 12,
        err: expect.objectContaining({ type: 'Error', message: 'gone', code: 'ECONNREFUSED' }),
      }),
    ]);
  });

  it('limits a repeated warning and says how many were left out', () => {
    let now = 0;
    const { logger, lines } = recordingLogger(() => now);
    for (now = 0; now <= 60_000; now += 10_000) logger.warnRepeated('waiting for registry', { now });
    logger.warnRepeated('another');
    expect(lines()).toEqual([
      expect.objectContaining({ msg: 'waiting for registry', now: 0 }),
      expect.objectContaining({ msg: 'waiting for registry', now: 60_000, suppressed: 5 }),
      expect.objectContaining({ msg: 'another' }),
    ]);
  });

  it('prints for a terminal', () => {
    const { logger, raw } = recordingLogger();
    logger.child('store').error('failed', { partition: 1, err: new Error('disk full') });
    const text = stripVTControlCharacters(prettyLine(raw[0] ?? ''));
    expect(text).toMatch(/^\d\d:\d\d:\d\d\.\d{3} ERROR store failed partition=1\n {4}Error: disk full\n/);
  });
});
