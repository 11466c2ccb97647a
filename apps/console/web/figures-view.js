/** The cards: Capital, Connection, Conversion, GMV. */
import { byId, make, setFigure, setText, zh } from './dom.js';
import { count, NOTHING, percent, signed } from './format.js';
import { showStamp } from './stamps.js';
import { schemeWords } from './words.js';

const MONTH = 'calendar:month';

/**
 * @param {any} board    of the event `figures`
 * @param {{ money: any, zone: any }} format
 */
export function showFigures(board, { money, zone }) {
  const [all] = board.figures;
  const page = byId('page');
  const { period } = all;
  setFigure(page, 'capital', period?.capital ?? all.capital, count(period?.capital ?? all.capital));
  for (const name of ['new_relations', 'lost_relations', 'net_relations']) {
    const value = period?.[name] ?? null;
    const isFlow = name !== 'lost_relations';
    setFigure(page, name, value, value === null ? NOTHING : isFlow ? signed(value) : signed(-value));
  }
  setFigure(page, 'connection', all.connection.value, percent(all.connection.value));
  setFigure(
    page,
    'related_visit_share',
    all.related_visit_share.value,
    percent(all.related_visit_share.value),
  );
  for (const name of ['active_related', 'visitors', 'orders', 'buyers', 'capital_reachable'])
    setFigure(page, name, all[name], count(all[name]));
  for (const name of ['gmv_net_minor', 'gmv_gross_minor', 'refunds_minor']) {
    setFigure(page, name, all[name], money.exact(all[name]));
  }
  byId('meter-active').style.width = `${(all.connection.value ?? 0) * 100}%`;
  byId('meter-related').style.width = `${(all.related_visit_share.value ?? 0) * 100}%`;
  showRates(board.periods);
  showStamp('window', all.stamp, zone);
  if (period !== null) showStamp('capital', period.stamp, zone);
  const official = board.periods.find(({ scheme_id: id }) => id === MONTH) ?? board.periods[0];
  if (official !== undefined) showStamp('conversion', official.stamp, zone);
}

/** The calendar month is the official one; the others follow. */
function showRates(periods) {
  const place = byId('rates');
  const sorted = [...periods].sort((left, right) => order(left) - order(right));
  const ids = sorted.map(({ scheme_id: id }) => id).join();
  if (place.dataset.schemes !== ids) {
    place.dataset.schemes = ids;
    place.replaceChildren(...sorted.map(({ scheme_id: id }) => rateRow(id)));
  }
  for (const [index, period] of sorted.entries()) {
    const row = place.children[index];
    const { numerator, denominator, value } = period.conversion;
    setFigure(row, 'conversion', value, percent(value));
    const parts = `${count(numerator)} / ${count(denominator)}`;
    setText(
      row.querySelector('.parts'),
      `${parts} persons · cohort ${percent(period.conversion_cohort.value)}`,
    );
    row.title = `${parts} persons deepened; period ${period.period_id}, day ${period.day}`;
  }
}

function order({ scheme_id: id }) {
  return id === MONTH ? 0 : id.startsWith('rolling:') ? 1 : 2;
}

function rateRow(schemeId) {
  const [name, chinese] = schemeWords(schemeId);
  return make(
    'div',
    { class: 'rate', 'data-scheme': schemeId },
    make('span', {}, `${name} `, zh(chinese)),
    make('b', { 'data-figure': 'conversion' }),
    make('span', { class: 'parts' }),
  );
}
