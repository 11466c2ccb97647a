/** A control record of the log to the record that is written; touchpoints have a writer of their own. */
import type { LogEntry, Touchpoint } from '#domain';
import type { WireEntry } from './log-wire.js';

export type ControlEntry = Exclude<LogEntry, Touchpoint>;

export function isControl(entry: LogEntry): entry is ControlEntry {
  switch (entry.type) {
    case 'tick':
    case 'rulesSet':
    case 'epochRaised':
    case 'credit':
      return true;
    default:
      return false;
  }
}

export function toWire(entry: ControlEntry): WireEntry {
  const source = null;
  switch (entry.type) {
    case 'tick': {
      const { at, arrivedAt } = entry;
      return { at, arrivedAt, head: null, body: { 'gravity.log.Tick': {} }, source };
    }
    case 'rulesSet': {
      const body = { 'gravity.log.RulesSet': { rulesJson: entry.rulesJson } };
      return { at: entry.arrivedAt, arrivedAt: entry.arrivedAt, head: null, body, source };
    }
    case 'epochRaised': {
      const { epoch, generation, logId } = entry;
      const body = { 'gravity.log.EpochRaised': { epoch, generation, logId } };
      return { at: entry.arrivedAt, arrivedAt: entry.arrivedAt, head: null, body, source };
    }
    case 'credit': {
      const { type: _type, at, arrivedAt, ...credit } = entry;
      return { at, arrivedAt, head: null, body: { 'gravity.log.Credit': credit }, source };
    }
  }
}
