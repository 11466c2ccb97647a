import { describe, expect, it } from '@jest/globals';
import { percent, ProgressLine, RateMeter } from './progress-line.js';

function fixture(isTerminal: boolean): { line: ProgressLine; written: string[]; pass: (ms: number) => void } {
  let now = 0;
  const written: string[] = [];
  const io = {
    out: () => undefined,
    err: (text: string) => void written.push(text),
    isTerminal,
    env: {},
    signal: new AbortController().signal,
  };
  return { line: new ProgressLine(io, () => now), written, pass: (ms) => void (now += ms) };
}

describe('ProgressLine', () => {
  it('overwrites its line in a terminal', () => {
    const { line, written, pass } = fixture(true);
    line.update(() => 'too early');
    pass(100);
    line.update(() => 'one');
    pass(100);
    line.update(() => 'two');
    line.note('done');
    expect(written.join('')).toBe('\r\u001b[Kone\r\u001b[Ktwo\r\u001b[Kdone\n');
  });

  it('writes a line now and then elsewhere, without control characters', () => {
    const { line, written, pass } = fixture(false);
    for (let second = 0; second < 11; second++) {
      pass(1000);
      line.update(() => `at ${second}`);
    }
    line.clear();
    expect(written).toEqual(['at 4\n', 'at 9\n']);
  });
});

it('rates and shares', () => {
  let now = 0;
  const meter = new RateMeter(() => now);
  expect(meter.perSecond(10)).toBe('–');
  now = 2000;
  expect(meter.perSecond(2_468)).toBe('1,234');
  expect([percent(1, 3), percent(3, 3), percent(0, 0)]).toEqual(['33 %', '100 %', '100 %']);
});
