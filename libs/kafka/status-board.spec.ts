import { describe, expect, it } from '@jest/globals';
import { StatusBoard, type LogStatus } from './status-board.js';

describe('StatusBoard', () => {
  it('is well again only when everybody is, and tells each change once', () => {
    const told: LogStatus[] = [];
    const board = new StatusBoard((status) => told.push(status));
    const [one, two] = [board.watch(), board.watch()];
    one.recovered();
    one.trouble(new Error('gone'));
    one.trouble(new Error('gone'));
    two.trouble(new Error('gone'));
    one.recovered();
    one.recovered();
    expect(told).toEqual([{ ok: false, detail: 'gone' }]);
    two.recovered();
    expect(told).toEqual([
      { ok: false, detail: 'gone' },
      { ok: true, detail: '' },
    ]);
  });
});
