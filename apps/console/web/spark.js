/** A line of GMV over the ends of the window. */
import { make } from './dom.js';

const SVG = 'http://www.w3.org/2000/svg';
const POINTS_MAX = 240;
const WIDTH = 400;
const HEIGHT = 100;

function svg(tag, attributes) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

export class Spark {
  /** @type {{ at: number, value: number }[]} */
  #points = [];

  /** @param {Element} place */
  constructor(place) {
    const gradient = svg('linearGradient', { id: 'spark-fill', x1: '0', y1: '0', x2: '0', y2: '1' });
    gradient.append(
      svg('stop', { offset: '0', 'stop-color': '#f5b84b', 'stop-opacity': '0.34' }),
      svg('stop', { offset: '1', 'stop-color': '#f5b84b', 'stop-opacity': '0' }),
    );
    const defs = svg('defs', {});
    defs.append(gradient);
    this.area = svg('path', { class: 'area', fill: 'url(#spark-fill)' });
    this.line = svg('path', { class: 'line' });
    this.root = svg('svg', {
      viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
      preserveAspectRatio: 'none',
      role: 'img',
      'aria-label': 'GMV net of the window over time',
    });
    this.root.append(defs, this.area, this.line);
    this.span = make('span', { class: 'span' });
    place.replaceChildren(this.root, this.span);
  }

  /** @param {{ at: number, value: number }[]} points   in order of time */
  show(points) {
    this.#points = points.slice(-POINTS_MAX);
    this.#draw();
  }

  /** The newest value; it replaces the last one if that was for the same end. @param {number} at @param {number} value */
  add(at, value) {
    const last = this.#points.at(-1);
    if (last !== undefined && last.at > at) return;
    if (last?.at === at) this.#points.pop();
    this.#points.push({ at, value });
    if (this.#points.length > POINTS_MAX) this.#points.shift();
    this.#draw();
  }

  #draw() {
    const points = this.#points;
    const first = points[0];
    const last = points.at(-1);
    if (first === undefined || last === undefined || first === last) {
      this.area.setAttribute('d', '');
      this.line.setAttribute('d', '');
      this.span.textContent = '';
      return;
    }
    const values = points.map(({ value }) => value);
    const top = Math.max(...values, 1);
    const bottom = Math.min(...values, 0);
    const steps = points.map(({ at, value }) => {
      const x = ((at - first.at) / (last.at - first.at)) * WIDTH;
      const y = HEIGHT - 3 - ((value - bottom) / (top - bottom)) * (HEIGHT - 8);
      return `${x.toFixed(1)},${y.toFixed(1)}`;
    });
    this.line.setAttribute('d', `M${steps.join('L')}`);
    this.area.setAttribute('d', `M0,${HEIGHT}L${steps.join('L')}L${WIDTH},${HEIGHT}Z`);
    this.span.textContent = `← ${spanText(last.at - first.at)}`;
  }
}

function spanText(ms) {
  if (ms < 7_200_000) return `${Math.round(ms / 60_000)} min`;
  if (ms < 172_800_000) return `${Math.round(ms / 3_600_000)} h`;
  return `${Math.round(ms / 86_400_000)} days`;
}
