/** Loaded into a child process by `--import`: writes what the process has used when it ends. */
import { writeFileSync } from 'node:fs';

export interface ProcessUsage {
  readonly cpuSeconds: number;
  readonly peakMiB: number;
}

const file = process.env['BENCH_USAGE_FILE'];
if (file !== undefined) {
  process.on('exit', () => {
    const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
    const usage: ProcessUsage = {
      cpuSeconds: (userCPUTime + systemCPUTime) / 1e6,
      peakMiB: Math.round(maxRSS / 1024),
    };
    writeFileSync(file, JSON.stringify(usage));
  });
}
