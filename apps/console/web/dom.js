/** Small steps on the document; a text is touched only when it changes, so nothing flickers. */

/** @param {string} id */
export function byId(id) {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`#${id} is missing`);
  return element;
}

/** @param {Element} element @param {string} text */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** @param {Element} element @param {string} name @param {string | null} value */
export function setAttribute(element, name, value) {
  if (value === null) element.removeAttribute(name);
  else if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

/**
 * @param {string} tag
 * @param {Record<string, string>} attributes
 * @param {(Node | string)[]} children
 */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** Chinese beside the English word. @param {string} text */
export function zh(text) {
  return make('span', { class: 'zh', lang: 'zh' }, text);
}

const MOVED_MS = 250;

/**
 * Shows a figure in all its places, tinted for a moment when it has moved.
 *
 * @param {ParentNode} within
 * @param {string} name           of `data-figure`
 * @param {number | null} value
 * @param {string} text
 */
export function setFigure(within, name, value, text) {
  for (const element of within.querySelectorAll(`[data-figure="${name}"]`)) {
    const before = element.getAttribute('data-value');
    setAttribute(element, 'data-value', value === null ? '' : String(value));
    setText(element, text);
    if (before === null || before === '' || value === null || Number(before) === value) continue;
    setAttribute(element, 'data-moved', Number(before) < value ? 'up' : 'down');
    setTimeout(() => setAttribute(element, 'data-moved', null), MOVED_MS);
  }
}
