import { describe, expect, it } from '@jest/globals';
import { ApiProblem } from './api-problem.js';
import { PARAMS, readAt } from './params.js';
import { ParamsPipe } from './params-pipe.js';

const { brand, channel, window, from, limit, tier } = PARAMS;
const pipe = new ParamsPipe({ brand, channel, window, from, limit, tier });

function problemOf(query: unknown): unknown {
  try {
    pipe.transform(query);
  } catch (error) {
    if (error instanceof ApiProblem) return error.problem;
    throw error;
  }
  return 'accepted';
}

describe('ParamsPipe', () => {
  it('fills in defaults', () => {
    expect(pipe.transform({})).toEqual({ channel: 'all', window: '1h', limit: 100 });
  });

  it.each(['雲裳 ☂', 'a/b', "'; DROP TABLE x --", '\u0000', '\ud800', ' ', '__proto__'])(
    'takes any text as a brand: %j',
    (name) => {
      expect(pipe.transform({ brand: name }).brand).toBe(name);
    },
  );

  it('reads an instant, also one whose + has become a space', () => {
    const at = Date.UTC(2026, 10, 10, 16);
    for (const text of [
      '2026-11-11T00:00:00+08:00',
      '2026-11-11T00:00:00 08:00',
      '2026-11-10T16:00:00.000Z',
    ]) {
      expect(pipe.transform({ from: text }).from).toBe(at);
    }
  });

  it.each<[string, Record<string, unknown>, RegExp]>([
    ['chanel', { chanel: 'live' }, /no such parameter.*brand, channel, window/],
    ['constructor', { constructor: 'x' }, /no such parameter/],
    ['brand[x]', { 'brand[x]': 'a' }, /no such parameter/],
    ['brand', { brand: ['a', 'b'] }, /expected one value/],
    ['brand', { brand: '' }, /expected some text/],
    ['brand', { brand: 'x'.repeat(1_001) }, /at most 1000/],
    ['window', { window: '2h' }, /5m, 1h, 24h, 30d/],
    ['from', { from: 'yesterday' }, /such as 2026/],
    ['from', { from: '2026-11-11T00:00:00' }, /such as 2026/],
    ['from', { from: '1066-10-14T09:00:00Z' }, /1900/],
    ['limit', { limit: '0' }, /1 to 1000/],
    ['limit', { limit: '1e2' }, /1 to 1000/],
    ['limit', { limit: '-1' }, /1 to 1000/],
    ['tier', { tier: '6' }, /0 to 5/],
  ])('refuses %s in %j, by name', (parameter, query, message) => {
    expect(problemOf(query)).toEqual({
      statusCode: 400,
      error: 'Bad Request',
      parameter,
      message: expect.stringMatching(message),
    });
  });
});

describe('readAt', () => {
  it('reads local time in the zone of the days', () => {
    expect(readAt('2026-11-11', 'Asia/Shanghai')).toBe(Date.UTC(2026, 10, 10, 16));
  });

  it.each(['now', '2026-13-01', '2026-11-11T25:00', '99999999999', '2300-01-01T00:00:00Z', '0001-01-01'])(
    'refuses %s',
    (text) => {
      expect(() => readAt(text, 'UTC')).toThrow(/^at: expected an instant/);
    },
  );
});
