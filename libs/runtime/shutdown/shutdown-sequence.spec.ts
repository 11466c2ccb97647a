import { describe, expect, it } from '@jest/globals';
import { AppLogger } from '../logging/app-logger.js';
import { SHUTDOWN_PHASES, ShutdownSequence } from './shutdown-sequence.js';

const logger = AppLogger.create({ service: 'test', level: 'silent' });

describe('ShutdownSequence', () => {
  it('runs the phases in their order, however the steps were registered', async () => {
    const done: string[] = [];
    const sequence = new ShutdownSequence(logger);
    for (const phase of [...SHUTDOWN_PHASES].reverse()) {
      sequence.register(phase, 'a', async () => {
        await new Promise((resolve) => setImmediate(resolve));
        done.push(phase);
      });
    }
    expect(await sequence.runThrough('disconnect')).toEqual({ failures: [] });
    expect(done).toEqual(SHUTDOWN_PHASES);
  });

  it('runs each step once, also when called twice and in parts', async () => {
    const done: string[] = [];
    const sequence = new ShutdownSequence(logger);
    sequence.register('drain', 'd', () => void done.push('drain'));
    sequence.register('disconnect', 'x', () => void done.push('disconnect'));
    await Promise.all([sequence.runThrough('flush-outbox'), sequence.runThrough('flush-outbox')]);
    expect(done).toEqual(['drain']);
    await sequence.runThrough('disconnect');
    expect(done).toEqual(['drain', 'disconnect']);
    expect(() => sequence.register('drain', 'late', () => undefined)).toThrow('too late for late');
  });

  it('goes on after a failed step and after one that hangs, and reports both', async () => {
    const done: string[] = [];
    const sequence = new ShutdownSequence(logger, { drain: 5 });
    sequence.register('drain', 'hangs', () => new Promise(() => undefined));
    sequence.register('checkpoint', 'store', () => {
      throw new Error('disk full');
    });
    sequence.register('disconnect', 'log', () => void done.push('log'));
    expect(await sequence.runThrough('disconnect')).toEqual({
      failures: ['drain: hangs took longer than 5 ms', 'checkpoint: store: disk full'],
    });
    expect(done).toEqual(['log']);
  });

  it('tells waiting work that it has begun', async () => {
    const sequence = new ShutdownSequence(logger);
    expect(sequence.signal.aborted).toBe(false);
    await sequence.runThrough('stop-sources');
    expect(sequence.signal.aborted).toBe(true);
  });
});
