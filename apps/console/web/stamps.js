/** The foot of a card: as of when its figures are true, and how complete they are. */
import { make, setAttribute, setText } from './dom.js';
import { NOTHING } from './format.js';
import { STATUSES } from './words.js';

/**
 * @param {string} name                                 of `data-stamp`
 * @param {{ as_of: string | null, watermark: string | null, status: string, log_positions: unknown }} stamp
 * @param {{ moment: (at: number, now: number) => string }} zone
 */
export function showStamp(name, stamp, zone) {
  for (const place of document.querySelectorAll(`[data-stamp="${name}"]`)) {
    if (place.firstChild === null) {
      place.append(make('span', { class: 'at' }), make('span', { class: 'badge' }));
    }
    const [at, badge] = place.children;
    const [word, chinese, meaning] = STATUSES[stamp.status] ?? [stamp.status, '', ''];
    const instants = [stamp.as_of, stamp.watermark].flatMap((text) =>
      text === null ? [] : [Date.parse(text)],
    );
    // The end of a window that is open lies ahead: what is in it is true as of the watermark.
    const truth = instants.length === 0 ? NOTHING : zone.moment(Math.min(...instants), Date.now());
    setText(at, `as of ${truth}`);
    setAttribute(at, 'title', `as of ${stamp.as_of}, watermark ${stamp.watermark} (UTC)`);
    setText(badge, `${word} ${chinese}`);
    setAttribute(badge, 'data-status', stamp.status);
    setAttribute(badge, 'title', meaning);
    setAttribute(place, 'data-as-of', stamp.as_of);
    setAttribute(place, 'data-log-positions', JSON.stringify(stamp.log_positions));
  }
}
