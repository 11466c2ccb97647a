import { describe, expect, it } from '@jest/globals';
import { AppLogger } from '#runtime';
import { NestLogger } from './nest-logger.js';

function recordingLogger() {
  const raw: string[] = [];
  const stream = { write: (line: string) => void raw.push(line) };
  const logger = AppLogger.create({ service: 'intake', level: 'debug', stream });
  return { logger, lines: (): unknown[] => raw.map((line): unknown => JSON.parse(line)) };
}

describe('NestLogger', () => {
  it('takes lines of the framework', () => {
    const { logger, lines } = recordingLogger();
    const nest = new NestLogger(logger);
    nest.log('Mapped {/health}', 'RouterExplorer');
    nest.error(new Error('boom'), 'ExceptionsHandler');
    nest.error('text', 'Error: x\n    at y', 'Other');
    nest.warn({ a: 1 });
    expect(lines()).toEqual([
      expect.objectContaining({ level: 20, msg: 'Mapped {/health}', context: 'RouterExplorer' }),
      expect.objectContaining({ level: 50, msg: 'boom', err: expect.objectContaining({ message: 'boom' }) }),
      expect.objectContaining({ msg: 'text', stack: 'Error: x\n    at y', context: 'Other' }),
      expect.objectContaining({ level: 40, details: { a: 1 } }),
    ]);
  });
});
