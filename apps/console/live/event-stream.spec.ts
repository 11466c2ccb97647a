import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { EventStream, type StreamTarget } from './event-stream.js';

/** A connection whose other end reads only when told to. */
class SlowPage extends EventEmitter implements StreamTarget {
  readonly texts: string[] = [];
  writableLength = 0;
  hasEnded = false;
  isDestroyed = false;

  write(text: string): boolean {
    this.texts.push(text);
    this.writableLength += text.length;
    return true;
  }
  end(): void {
    this.hasEnded = true;
  }
  destroy(): void {
    this.isDestroyed = true;
  }
  read(): void {
    this.writableLength = 0;
    this.emit('drain');
  }
}

const BIG = JSON.stringify('x'.repeat(300_000));
let page: SlowPage;

beforeEach(() => {
  jest.useFakeTimers();
  page = new SlowPage();
});
afterEach(() => {
  jest.useRealTimers();
});

describe('EventStream', () => {
  it('writes events with their ids', () => {
    new EventStream(page).send('figures', '{"a":1}', 'run-7');
    expect(page.texts).toEqual(['retry: 1000\n\n', 'id: run-7\nevent: figures\ndata: {"a":1}\n\n']);
  });

  it('keeps for a slow page only the newest of each kind', () => {
    const stream = new EventStream(page);
    stream.send('figures', BIG);
    for (let i = 1; i <= 1_000; i++) stream.send('figures', String(i));
    stream.send('status', '"s"');
    expect(page.texts).toHaveLength(2);
    page.read();
    expect(page.texts.slice(2)).toEqual(['event: figures\ndata: 1000\n\n', 'event: status\ndata: "s"\n\n']);
  });

  it('beats, and gives up a page that takes nothing for a minute', () => {
    const closed = jest.fn();
    const stream = new EventStream(page);
    stream.onClose(closed);
    jest.advanceTimersByTime(15_000);
    expect(page.texts.at(-1)).toBe(': beat\n\n');
    stream.send('figures', BIG);
    jest.advanceTimersByTime(74_000);
    expect(page.isDestroyed).toBe(false);
    jest.advanceTimersByTime(16_000);
    expect(page.isDestroyed).toBe(true);
    expect(closed).toHaveBeenCalledTimes(1);
  });

  it('ends once, from whichever side, and then writes nothing', () => {
    const closed = jest.fn();
    const stream = new EventStream(page);
    stream.onClose(closed);
    page.emit('close');
    stream.close();
    stream.send('figures', '1');
    jest.advanceTimersByTime(60_000);
    expect(closed).toHaveBeenCalledTimes(1);
    expect(page.hasEnded).toBe(true);
    expect(page.texts).toHaveLength(1);
    expect(jest.getTimerCount()).toBe(0);
  });
});
