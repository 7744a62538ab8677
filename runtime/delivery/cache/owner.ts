/** Which process a file of the cache belongs to, by its name: `<something>@<host>.<pid>-<token>`, where the host of a pod is its name. */
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { errorCode } from '../../node-error.ts';

/** A container that is started again gives its process the number of the one before. */
const TOKEN = randomBytes(4).toString('hex');

export const OWNER = `${hostname()}.${process.pid}-${TOKEN}`;

/** False only for a process of this host that is gone for sure. Nobody can ask about those of another, which a shared volume may have. */
export function mayLive(fileName: string): boolean {
  const [, host, pid, token] = /@(.+)\.(\d{1,10})-([^.-]*)(?:-[^.]*)?$/.exec(fileName) ?? [];
  if (host !== hostname() || pid === undefined) return true;
  if (Number(pid) === process.pid) return token === TOKEN;
  try {
    process.kill(Number(pid), 0);
    return true;
  } catch (error) {
    return errorCode(error) !== 'ESRCH';
  }
}
