/** What a process has used of the processor, by the scheduler's own count, which is finer than the ticks of /proc/PID/stat. Needs Linux. */
import { readdirSync, readFileSync } from 'node:fs';

/** Microseconds on a core, of all its threads so far; those that have ended are not counted. */
export function cpuMicroseconds(process: number | string): number {
  const tasks = `/proc/${process}/task`;
  return readdirSync(tasks).reduce((sum, task) => {
    const [nanoseconds = ''] = readFileSync(`${tasks}/${task}/schedstat`, 'utf8').split(' ');
    return sum + Number(nanoseconds) / 1000;
  }, 0);
}
