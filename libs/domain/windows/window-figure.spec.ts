import { describe, expect, it } from '@jest/globals';
import { WindowFigure, type WindowFront } from './window-figure.js';
import { METRIC } from './window-metrics.js';

const { visitors } = METRIC;

function front(horizon: number, closed: number, open = closed): WindowFront {
  return { horizon, closed, open, rowsFrom: -Infinity, unknownTo: -Infinity };
}

/** Rows as `end status visitors`. */
function taken(figure: WindowFigure, at: WindowFront): string[] {
  const rows: string[] = [];
  figure.take(at, (end, status, values) => {
    rows.push(`${end} ${status} ${values[visitors]}`);
    return true;
  });
  return rows;
}

describe('a figure that was taken back between two looks', () => {
  it('is 0 in the final row of an end whose closed row said otherwise', () => {
    const figure = new WindowFigure(5, 10);
    figure.add(visitors, 8, 10, 1);
    expect(taken(figure, front(5, 12))).toEqual(['8 closed 1', '9 closed 1']);

    figure.add(visitors, 8, 10, -1);
    expect(taken(figure, front(20, 25))).toEqual(['8 closed 0', '9 closed 0']);
    expect(figure.idle).toBe(true);
  });

  it('is 0 in the final row of an end whose open row said otherwise', () => {
    const figure = new WindowFigure(5, 10);
    figure.add(visitors, 14, 16, 3);
    expect(taken(figure, front(5, 12, 14))).toEqual(['14 provisional 3']);

    figure.add(visitors, 14, 16, -3);
    expect(figure.idle).toBe(false);
    expect(taken(figure, front(20, 25))).toEqual(['14 closed 0']);
    expect(figure.idle).toBe(true);
  });

  it('is 0 at every end between two far apart, where nothing differs from the end before', () => {
    const figure = new WindowFigure(0, 500);
    figure.add(visitors, 10, 400, 2);
    expect(taken(figure, front(0, 450))).toHaveLength(390);
    figure.add(visitors, 10, 400, -2);
    const rows = taken(figure, front(460, 470));
    expect(rows).toEqual(Array.from({ length: 390 }, (_, n) => `${10 + n} closed 0`));
  });
});
