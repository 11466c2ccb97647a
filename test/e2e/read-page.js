// Runs in the page: an expression whose value is `Shown` of shown-figures.ts.
(() => {
  const attribute = (selector, name) => document.querySelector(selector)?.getAttribute(name) ?? '';
  const shown = (element) => ({ value: element.getAttribute('data-value') ?? '', text: element.textContent });
  const figuresOf = (within) =>
    Object.fromEntries(
      [...within.querySelectorAll('[data-figure]')].map((element) => [
        element.getAttribute('data-figure'),
        shown(element),
      ]),
    );
  const cards = [...document.querySelectorAll('#capital, #connection-card, #gmv')];
  return {
    asOf: attribute('main', 'data-as-of'),
    logPositions: attribute('main', 'data-log-positions'),
    brand: attribute('main', 'data-brand'),
    window: attribute('main', 'data-window'),
    scheme: attribute('main', 'data-scheme'),
    periodPositions: attribute('[data-stamp="capital"]', 'data-log-positions'),
    figures: Object.assign({}, ...cards.map(figuresOf)),
    channels: Object.fromEntries(
      [...document.querySelectorAll('#channel-rows tr')].map((row) => [
        row.getAttribute('data-channel'),
        figuresOf(row),
      ]),
    ),
    tiers: [...document.querySelectorAll('#tier-list [data-figure]')].map(shown),
  };
})();
