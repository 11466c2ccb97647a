/** The table of channels: gravity, visitors, and what they are made of. */
import { byId, make, setFigure, setText, zh } from './dom.js';
import { count, percent } from './format.js';
import { channelWords } from './words.js';

/** @param {any} board @param {{ money: any }} format */
export function showChannels(board, { money }) {
  const body = byId('channel-rows');
  const [all, ...channels] = board.figures;
  const sorted = [all, ...channels];
  for (const figures of sorted) {
    const row = rowOf(body, figures.channel);
    const { connection, visitors } = figures;
    setFigure(row, 'connection', connection.value, percent(connection.value));
    row.querySelector('.gravity-bar i').style.width = `${Math.min(1, connection.value ?? 0) * 100}%`;
    setFigure(row, 'visitors', visitors, count(visitors));
    row.querySelector('.visitors i').style.width =
      `${all.visitors === 0 ? 0 : (visitors / all.visitors) * 100}%`;
    for (const name of ['active', 'visitors_related'])
      setFigure(row, name, figures[name], count(figures[name]));
    // As on the card above: of now, and not of the window's end.
    const capital = figures.period?.capital ?? figures.capital;
    setFigure(row, 'capital', capital, count(capital));
    setFigure(row, 'gmv_net_minor', figures.gmv_net_minor, money.whole(figures.gmv_net_minor));
    row.title = `${figures.active_related} active relations of ${visitors} visitors`;
  }
  const shown = new Set(sorted.map(({ channel }) => channel));
  for (const row of [...body.children]) if (!shown.has(row.dataset.channel)) row.remove();
}

function rowOf(body, channel) {
  const found = [...body.children].find((row) => row.dataset.channel === channel);
  if (found !== undefined) return found;
  const row = makeRow(channel);
  // By id, with `all` on top: rows that jump about cannot be read.
  const after = [...body.children].find(({ dataset }) => channel === 'all' || dataset.channel > channel);
  body.insertBefore(row, after?.dataset.channel === 'all' ? after.nextSibling : (after ?? null));
  return row;
}

function makeRow(channel) {
  const [name, chinese] = channelWords(channel);
  const head = make('td', {}, '', zh(chinese));
  setText(head.insertBefore(make('span'), head.firstChild), name);
  return make(
    'tr',
    { 'data-channel': channel, ...(channel === 'all' ? { class: 'all' } : {}) },
    head,
    measure('gravity-bar', 'connection'),
    measure('visitors', 'visitors'),
    ...['active', 'visitors_related', 'capital', 'gmv_net_minor'].map((name_) =>
      make('td', { 'data-figure': name_ }),
    ),
  );
}

function measure(kind, name) {
  return make(
    'td',
    { class: 'wide' },
    make(
      'div',
      { class: 'measure' },
      make('div', { class: `bar ${kind}` }, make('i')),
      make('span', { 'data-figure': name }),
    ),
  );
}
