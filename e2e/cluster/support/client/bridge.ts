/** Joins its standard input and output with the agent of its pod. `kubectl exec` runs it; when that breaks, the agent goes on. */
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

const PORT = Number(process.argv[2]);
const ATTEMPTS = 200;
const BETWEEN_MILLISECONDS = 50;

/** The agent may be about to begin. */
for (let attempt = 1; !(await joined()); attempt++) {
  if (attempt === ATTEMPTS) throw new Error(`Nobody listens on port ${PORT}.`);
  await delay(BETWEEN_MILLISECONDS);
}

/** False if nobody listens. From then on that somebody does, the process lasts as long as the connection. */
function joined(): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(PORT, '127.0.0.1');
    socket.on('error', () => resolve(false));
    socket.on('connect', () => {
      resolve(true);
      socket.on('close', () => process.exit(0));
      process.stdin.on('end', () => process.exit(0));
      process.stdin.pipe(socket).pipe(process.stdout);
    });
  });
}
