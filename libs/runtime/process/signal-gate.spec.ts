import { expect, it } from '@jest/globals';
import { SignalGate } from './signal-gate.js';

it('takes what npm passes on for the same Ctrl-C, and a later one for impatience', () => {
  let now = 100;
  const gate = new SignalGate(() => now, 2_000);
  expect(gate.next()).toBe('first');
  now += 1_999;
  expect(gate.next()).toBe('echo');
  now += 1;
  expect(gate.next()).toBe('again');
});
