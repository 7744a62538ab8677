/** Which process a file of the cache belongs to, by its name: `<something>@<host>.<pid>`, where the host of a pod is its name. */
import { hostname } from 'node:os';
import { errorCode } from '../node-error.ts';

export const OWNER = `${hostname()}.${process.pid}`;

/** False only for a process of this host that is gone for sure. Nobody can ask about those of another, which a shared volume may have. */
export function mayLive(fileName: string): boolean {
  const [, host, pid] = /@(.+)\.(\d{1,10})(?:-[^.]*)?$/.exec(fileName) ?? [];
  if (host !== hostname() || pid === undefined) return true;
  try {
    process.kill(Number(pid), 0);
    return true;
  } catch (error) {
    return errorCode(error) !== 'ESRCH';
  }
}
