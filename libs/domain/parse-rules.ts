import { dayFromText, DayCalendar } from './day-calendar.js';
import type { Rules, Scheme, SchemePeriod, WindowSpec } from './rules.js';
import { windowGrid } from './windows/window-grid.js';

type Json = Readonly<Record<string, unknown>>;

/** What is wrong with the rules; its message names the field. */
class Fault extends Error {}

/**
 * Reads the JSON text of `Rules` and checks all of it.
 * @returns the rules, or what is wrong with the text, naming the field and what was expected
 */
export function parseRules(text: string): Rules | string {
  try {
    return rulesFrom(JSON.parse(text));
  } catch (error) {
    if (error instanceof Fault) return error.message;
    if (error instanceof SyntaxError) return `no JSON: ${error.message}`;
    throw error;
  }
}

function rulesFrom(value: unknown): Rules {
  const json = object(value, 'rules');
  const schemes = list(json['schemes'], 'schemes').map((scheme, i) => schemeFrom(scheme, `schemes[${i}]`));
  if (schemes.length === 0) throw new Fault('schemes: expected at least one');
  const ids = new Set<string>();
  for (const { id } of schemes) {
    if (ids.has(id)) throw new Fault(`schemes: two have the id ${id}`);
    ids.add(id);
  }
  return {
    schemes,
    windows: windowsFrom(json['windows']),
    refundHorizonDays: integer(json['refundHorizonDays'], 'refundHorizonDays', 0),
    stateLatenessMs: integer(json['stateLatenessMs'], 'stateLatenessMs', 0),
    duesPerTick: integer(json['duesPerTick'], 'duesPerTick', 1),
    fineRowsFrom: integer(json['fineRowsFrom'], 'fineRowsFrom', 0),
  };
}

function schemeFrom(value: unknown, at: string): Scheme {
  const json = object(value, at);
  const brand = json['brand'];
  return {
    id: text(json['id'], `${at}.id`),
    brand: brand === null ? null : text(brand, `${at}.brand`),
    period: periodFrom(json['period'], `${at}.period`),
    zone: zoneFrom(json['zone'], `${at}.zone`),
    zeroOrderCounts: flag(json['zeroOrderCounts'], `${at}.zeroOrderCounts`),
    joinToleranceMs: integer(json['joinToleranceMs'], `${at}.joinToleranceMs`, 0),
  };
}

function periodFrom(value: unknown, at: string): SchemePeriod {
  const json = object(value, at);
  switch (json['kind']) {
    case 'rolling':
      return { kind: 'rolling', days: integer(json['days'], `${at}.days`, 1) };
    case 'calendarMonth':
      return { kind: 'calendarMonth' };
    case 'span': {
      const from = date(json['from'], `${at}.from`);
      return { kind: 'span', from, to: dateAfter(from, json['to'], `${at}.to`) };
    }
    case 'campaign': {
      const baseFrom = date(json['baseFrom'], `${at}.baseFrom`);
      const from = dateAfter(baseFrom, json['from'], `${at}.from`);
      return { kind: 'campaign', from, to: dateAfter(from, json['to'], `${at}.to`), baseFrom };
    }
    default:
      throw new Fault(`${at}.kind: expected rolling, calendarMonth, span or campaign`);
  }
}

function windowsFrom(value: unknown): readonly WindowSpec[] {
  const windows = list(value, 'windows').map((window, i): WindowSpec => {
    const at = `windows[${i}]`;
    const json = object(window, at);
    return {
      id: text(json['id'], `${at}.id`),
      widthMs: integer(json['widthMs'], `${at}.widthMs`, 1),
      slideMs: integer(json['slideMs'], `${at}.slideMs`, 1),
      latenessMs: integer(json['latenessMs'], `${at}.latenessMs`, 0),
    };
  });
  if (new Set(windows.map(({ id }) => id)).size < windows.length) throw new Fault('windows: two have one id');
  // No windows at all: no rolling figures are kept, and no presence.
  if (windows.length === 0) return windows;
  try {
    windowGrid(windows, 0);
  } catch (error) {
    if (error instanceof RangeError) throw new Fault(`windows: ${error.message}`);
    throw error;
  }
  return windows;
}

function zoneFrom(value: unknown, at: string): string {
  const zone = text(value, at);
  try {
    return DayCalendar.of(zone).zone;
  } catch (error) {
    if (error instanceof RangeError) throw new Fault(`${at}: ${zone} is no zone of the tz database`);
    throw error;
  }
}

function object(value: unknown, at: string): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Fault(`${at}: expected an object`);
  }
  return Object.fromEntries(Object.entries(value));
}

function list(value: unknown, at: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new Fault(`${at}: expected a list`);
  return value;
}

function text(value: unknown, at: string): string {
  if (typeof value !== 'string' || value === '') throw new Fault(`${at}: expected a text that is not empty`);
  return value;
}

function flag(value: unknown, at: string): boolean {
  if (typeof value !== 'boolean') throw new Fault(`${at}: expected true or false`);
  return value;
}

function integer(value: unknown, at: string, least: number): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < least) {
    throw new Fault(`${at}: expected an integer of at least ${least}`);
  }
  return value;
}

function date(value: unknown, at: string): string {
  const day = text(value, at);
  if (dayFromText(day) === null) throw new Fault(`${at}: expected a date YYYY-MM-DD, not ${day}`);
  return day;
}

function dateAfter(from: string, value: unknown, at: string): string {
  const day = date(value, at);
  if (day <= from) throw new Fault(`${at}: ${day} is not after ${from}`);
  return day;
}
