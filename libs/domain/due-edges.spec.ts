import { describe, expect, it } from '@jest/globals';
import { instant } from '../testing/touchpoint-kit.js';
import { dueEdges } from './due-edges.js';
import { defaultRules, defaultSchemes } from './rules.js';

describe('dueEdges', () => {
  const rules = defaultRules({
    schemes: [
      ...defaultSchemes(),
      ...defaultSchemes('UTC').map((scheme) => ({ ...scheme, id: `${scheme.id} utc` })),
    ],
  });

  it('are the midnights of the schemes’ zones, ascending', () => {
    expect(dueEdges(rules, instant('2024-11-10 12:00:00'), instant('2024-11-12 07:59:59'))).toEqual(
      ['2024-11-11 00:00:00', '2024-11-11 08:00:00', '2024-11-12 00:00:00'].map(instant),
    );
  });

  it('leave out the first instant and take in the last', () => {
    const midnight = instant('2024-11-11 00:00:00');
    expect(dueEdges(defaultRules(), midnight - 1, midnight)).toEqual([midnight]);
    expect(dueEdges(defaultRules(), midnight, midnight + 1)).toEqual([]);
    expect(dueEdges(defaultRules(), midnight, midnight)).toEqual([]);
  });
});
