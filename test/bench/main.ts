import { benchOptions, HELP, UsageError, type BenchOptions, type Part } from './bench-options.js';
import { report, type BenchResult } from './bench-report.js';

/** Loaded when asked for: a part that needs Java or chDB must not be in the way of the others. */
const RUN: Readonly<Record<Part, (options: BenchOptions) => Promise<BenchResult>>> = {
  'hot-path': async (options) => (await import('./hot-path.js')).hotPath(options),
  engine: async (options) => (await import('./engine.js')).enginePath(options),
  persons: async (options) => (await import('./persons.js')).manyPersons(options),
  replay: async (options) => (await import('./replay.js')).replayYear(options),
  embedded: async (options) => (await import('./embedded.js')).embeddedPath(options),
  recovery: async (options) => (await import('./recovery.js')).recovery(options),
  midnight: async (options) => (await import('./midnight.js')).midnight(options),
  scaling: async (options) => (await import('./scaling.js')).scaling(options),
  latency: async (options) => (await import('./latency.js')).latency(options),
  kafka: async (options) => (await import('./kafka.js')).kafkaPath(options),
};

try {
  const options = benchOptions(process.argv.slice(2));
  if (options === 'help') console.log(HELP);
  else for (const part of options.parts) report(await RUN[part](options), options.record);
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(`bench: ${error.message}\n\n${HELP}`);
  process.exitCode = 64;
}
