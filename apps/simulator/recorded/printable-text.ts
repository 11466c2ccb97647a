/** Text of a file as it may stand in a message: a terminal must not obey it, and a log line must stay a line. */

const CHARS_MAX = 60;
const NAMES_MAX = 20;
/** Control characters, those that turn the direction of text, and the line ends that are none to a file. */
const UNFIT = /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu;

/** Escapes as in JavaScript (`\\x1b`, `\\u202e`), and cut. Line breaks are escaped too. */
export function printable(text: string, charsMax: number = CHARS_MAX): string {
  const isLong = text.length > charsMax;
  const cut = isLong ? text.slice(0, charsMax) : text;
  return `${escapeControls(cut)}${isLong ? '…' : ''}`;
}

/** Nothing is cut. */
export function escapeControls(text: string): string {
  return text.replaceAll(UNFIT, escapeOf);
}

/** For several lines of our own that quote something. */
export function escapeControlsInLines(text: string): string {
  return text.split('\n').map(escapeControls).join('\n');
}

/** The first names, each of them printable. */
export function printableList(names: readonly string[]): string {
  const shown = names.slice(0, NAMES_MAX).map((name) => printable(name));
  const more = names.length - shown.length;
  return `${shown.join(', ')}${more > 0 ? `, … and ${more} more` : ''}`;
}

function escapeOf(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  if (code <= 0xff) return `\\x${code.toString(16).padStart(2, '0')}`;
  if (code <= 0xffff) return `\\u${code.toString(16).padStart(4, '0')}`;
  return `\\u{${code.toString(16)}}`;
}
