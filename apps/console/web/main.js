/** The live page: what is shown is chosen here, and comes as server-sent events. */
import { showChannels } from './channels-view.js';
import { byId, make, setAttribute, setText, zh } from './dom.js';
import { FeedView } from './feed-view.js';
import { showFigures } from './figures-view.js';
import { age, count, moneyFormat, NOTHING, zoneFormat } from './format.js';
import { LiveEvents } from './live.js';
import { Spark } from './spark.js';
import { showTiers } from './tiers-view.js';
import { schemeWords, WINDOWS } from './words.js';

const SERIES_MS = 300_000;
const LATE_MS = 10_000;
const ASK_AGAIN_MS = 1_000;

const page = byId('page');
const feed = new FeedView();
const spark = new Spark(byId('spark'));
const asked = new URLSearchParams(location.hash.slice(1));
const view = {
  brand: asked.get('brand') ?? '',
  window: asked.get('window') ?? '5m',
  scheme: asked.get('scheme') ?? '',
};
const format = { money: moneyFormat('CNY', 2), zone: zoneFormat('Asia/Shanghai') };
/** Brands with their schemes; null before the first answer. @type {any[] | null} */
let brands = null;
let status = null;
let statusAt = 0;

const events = new LiveEvents(
  {
    figures: onFigures,
    'tier-changes': (data) => feed.add(data, format),
    status: onStatus,
    bye: () => undefined,
  },
  onConnection,
  canOpen,
);

/** @param {string} path */
async function ask(path) {
  const response = await fetch(path, { headers: { accept: 'application/json' } });
  const body = await response.json();
  if (response.ok) return body;
  throw new Error(body.message);
}

/** Whether the events can be followed now; shows why where they cannot. */
async function canOpen() {
  try {
    onStatus(await ask('/api/v1/status'));
    if (!status.ready) return false;
    await learnBrands();
    tellState();
    return brands.length > 0;
  } catch (error) {
    onConnection('lost');
    console.warn(error);
    return false;
  }
}

async function learnBrands() {
  ({ brands } = await ask('/api/v1/brands'));
  const known = brands.find(({ brand }) => brand === view.brand) ?? brands[0];
  if (known === undefined) return;
  view.brand = known.brand;
  if (!known.schemes.includes(view.scheme)) view.scheme = known.schemes[0];
  if (!Object.hasOwn(WINDOWS, view.window)) view.window = '5m';
  byId('brand').replaceChildren(
    ...brands.map(({ brand }) => new Option(brand, brand, false, brand === view.brand)),
  );
  choices(
    'window',
    Object.entries(WINDOWS).map(([id, name]) => [id, name, '']),
  );
  choices(
    'scheme',
    known.schemes.map((id) => [id, ...schemeWords(id)]),
  );
}

/** Buttons of which one is chosen. @param {'window' | 'scheme'} of @param {string[][]} entries */
function choices(of, entries) {
  const place = byId(of);
  place.replaceChildren(
    ...entries.map(([id, name, chinese]) => {
      const attributes = {
        type: 'button',
        role: 'radio',
        'data-id': id,
        'aria-checked': String(id === view[of]),
      };
      const button = make('button', attributes, chinese === '' ? name : `${name} `);
      if (chinese !== '') button.append(zh(chinese));
      button.addEventListener('click', () => choose({ [of]: id }));
      return button;
    }),
  );
}

/** Shows something else from now on. @param {Partial<typeof view>} change */
function choose(change) {
  Object.assign(view, change);
  const schemes = brands?.find(({ brand }) => brand === view.brand)?.schemes ?? [];
  if (!schemes.includes(view.scheme)) view.scheme = schemes[0] ?? '';
  if (change.brand !== undefined)
    choices(
      'scheme',
      schemes.map((id) => [id, ...schemeWords(id)]),
    );
  for (const of of ['window', 'scheme']) {
    for (const button of byId(of).children)
      setAttribute(button, 'aria-checked', String(button.dataset.id === view[of]));
  }
  location.replace(`#${new URLSearchParams(view)}`);
  for (const name of document.querySelectorAll('[data-window-name]')) setText(name, WINDOWS[view.window]);
  setAttribute(page, 'data-waiting', '');
  if (change.brand !== undefined || change.scheme !== undefined) feed.clear();
  if (change.brand !== undefined || change.window !== undefined) {
    void showSeries();
    setText(byId('late'), NOTHING);
    void showLate();
  }
  events.open(view);
}

async function showSeries() {
  const { brand, window } = view;
  try {
    const { points } = await ask(`/api/v1/series?${new URLSearchParams({ brand, window, points: '240' })}`);
    if (brand !== view.brand || window !== view.window) return;
    spark.show(points.map(({ as_of: asOf, gmv_net_minor: value }) => ({ at: Date.parse(asOf), value })));
  } catch (error) {
    console.warn(error);
  }
}

/** How many events missed final ends of the window that is shown. */
async function showLate() {
  // While something is away there is nobody to ask, and the page says so already.
  if (status === null || !status.ready || view.brand === '') return;
  const { brand, window } = view;
  try {
    const { total } = await ask(`/api/v1/late-events?${new URLSearchParams({ brand, window, limit: '1' })}`);
    if (brand === view.brand && window === view.window) setText(byId('late'), count(total));
  } catch (error) {
    console.warn(error);
  }
}

function onFigures(board) {
  if (board.brand !== view.brand || board.window !== view.window || board.scheme_id !== view.scheme) return;
  const [all] = board.figures;
  showFigures(board, format);
  showChannels(board, format);
  showTiers(board, format);
  spark.add(Date.parse(all.stamp.as_of), all.gmv_net_minor);
  setAttribute(page, 'data-waiting', null);
  setAttribute(page, 'data-brand', board.brand);
  setAttribute(page, 'data-window', board.window);
  setAttribute(page, 'data-scheme', board.scheme_id);
  setAttribute(page, 'data-as-of', all.stamp.as_of);
  setAttribute(page, 'data-log-positions', JSON.stringify(all.stamp.log_positions));
}

function onStatus(told) {
  status = told;
  statusAt = Date.now();
  format.money = moneyFormat(told.currency, told.currency_digits);
  format.zone = zoneFormat(told.zone);
  const { stamp, log, clickhouse } = told;
  setText(byId('partitions'), `${stamp.partitions_reporting ?? 0} / ${stamp.partitions_total ?? 0}`);
  setText(
    byId('lag'),
    log === null ? NOTHING : log.lag === 0 ? 'folded to the end' : `${count(log.lag)} records behind`,
  );
  setText(
    byId('archive-lag'),
    log === null ? NOTHING : log.archive_lag === 0 ? 'to the end' : `${count(log.archive_lag)} behind`,
  );
  setText(
    byId('clickhouse'),
    clickhouse.ready ? 'ready' : `away since ${format.zone.clock(Date.parse(clickhouse.since))}`,
  );
  showReconciliation(told.reconciliation);
  setText(byId('build'), told.build);
  tellState();
}

/** @param {{ at: string, compared: number, differ: number } | null} run */
function showReconciliation(run) {
  const place = byId('reconciled');
  const at = run === null ? '' : format.zone.clock(Date.parse(run.at));
  setText(
    place,
    run === null
      ? NOTHING
      : run.differ === 0
        ? `${at}: ${count(run.compared)} equal`
        : `${at}: ${count(run.differ)} differ`,
  );
  setAttribute(place, 'data-reconciled', run === null ? 'never' : run.differ === 0 ? 'equal' : 'drift');
}

/** What the reader has to know before trusting what is shown, or while nothing is. */
function tellState() {
  const { stage, clickhouse, log } = status;
  if (stage !== null) banner(`Starting: ${stage} …`, 'wait');
  else if (!clickhouse.ready) {
    const since = format.zone.moment(Date.parse(clickhouse.since), Date.now());
    banner(
      `ClickHouse has been away since ${since}: the figures below are as of then. ${clickhouse.reason ?? ''}`,
      'down',
    );
  } else if (log !== null && log.lag > 5_000) {
    banner(`Catching up: ${count(log.lag)} records of the log are not folded yet.`, 'wait');
  } else if (brands !== null && brands.length === 0) {
    banner('Ready: the first figures are coming, and will be shown here by themselves.', 'wait');
  } else banner('', '');
}

function onConnection(state) {
  const isAway = status !== null && !status.clickhouse.ready;
  const [shown, text] =
    state === 'lost'
      ? ['down', 'connection lost, trying again']
      : state === 'connecting'
        ? ['connecting', 'connecting']
        : isAway
          ? ['down', 'ClickHouse away']
          : ['live', 'live'];
  setAttribute(byId('connection'), 'data-state', shown);
  setText(byId('connection-text'), text);
}

/** @param {string} text @param {string} kind */
function banner(text, kind) {
  const place = byId('banner');
  place.hidden = text === '';
  setText(place, text);
  setAttribute(place, 'data-kind', kind);
}

/** The clock goes by the server's, whatever this machine's says. */
function tick() {
  if (status === null) return;
  const now = Date.parse(status.now) + Date.now() - statusAt;
  setText(byId('clock'), format.zone.clock(now));
  setText(byId('zone'), format.zone.name(now));
  const { watermark } = status.stamp;
  const at = watermark === null ? null : Date.parse(watermark);
  setText(byId('watermark'), at === null ? NOTHING : `${format.zone.moment(at, now)}, ${age(now - at)} ago`);
}

async function start() {
  while (!(await canOpen())) await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MS));
  choose({ brand: view.brand, window: view.window });
}

byId('brand').addEventListener('change', ({ target }) => choose({ brand: target.value }));
setInterval(tick, 500);
setInterval(() => void showSeries(), SERIES_MS);
setInterval(() => void showLate(), LATE_MS);
void start();
