/** Tier stocks as a bar and as numbers. */
import { byId, make, setFigure, setText, zh } from './dom.js';
import { count, percent } from './format.js';
import { showStamp } from './stamps.js';
import { TIERS } from './words.js';

/** Tier 5 comes with sharing: it is shown once somebody has it. */
const ALWAYS_SHOWN = 5;

/** @param {any} board @param {{ zone: any }} format */
export function showTiers(board, { zone }) {
  const period = board.periods.find(({ scheme_id: id }) => id === board.scheme_id);
  if (period === undefined) return;
  const stocks = period.tiers.slice(0, period.tiers[5] > 0 ? 6 : ALWAYS_SHOWN);
  const total = stocks.reduce((sum, stock) => sum + stock, 0);
  const [stack, list] = [byId('tier-stack'), byId('tier-list')];
  while (list.children.length < stocks.length) {
    const tier = list.children.length;
    const [name, chinese] = TIERS[tier];
    stack.append(make('i', { 'data-tier': String(tier) }));
    list.append(
      make(
        'li',
        { 'data-tier': String(tier) },
        make('span', {}, `${tier} ${name}`),
        make('b', { 'data-figure': 'tier' }),
        make('span', { class: 'share' }),
        ' ',
        zh(chinese),
      ),
    );
  }
  for (const [tier, stock] of stocks.entries()) {
    const share = total === 0 ? 0 : stock / total;
    stack.children[tier].style.flexGrow = String(stock);
    stack.children[tier].title = `${TIERS[tier][0]}: ${count(stock)}`;
    setFigure(list.children[tier], 'tier', stock, count(stock));
    setText(list.children[tier].querySelector('.share'), percent(share));
  }
  showStamp('tiers', period.stamp, zone);
}
