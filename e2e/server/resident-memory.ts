import { readFileSync } from 'node:fs';

/** What a process has in memory now, in MiB. Needs Linux. */
export function residentMebibytes(process: number | string): number {
  const [, kibibytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${process}/status`, 'utf8')) ?? [];
  return Number(kibibytes) / 1024;
}
