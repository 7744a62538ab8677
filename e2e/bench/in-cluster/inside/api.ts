/** The API server as a pod sees it, by the ServiceAccount that is mounted into it: one kept connection for calls, another for a watch. */
import { readFileSync } from 'node:fs';
import { Agent, request, type RequestOptions } from 'node:https';
import { createInterface } from 'node:readline';
import { json } from 'node:stream/consumers';

const ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';
const mounted = (name: string): string => readFileSync(`${ACCOUNT}/${name}`, 'utf8').trim();

export const NAMESPACE = mounted('namespace');
const token = mounted('token');
const ca = mounted('ca.crt');
const agent = new Agent({ keepAlive: true, ca });

/** Rejects with what the API server says if it does not do it; `undefined` for an object that is not there. */
export function callApi<Result>(method: string, path: string, body?: unknown): Promise<Result | undefined> {
  const content = body === undefined ? '' : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const outgoing = request({ ...target(path), method, agent }, (response) => {
      json(response).then((answer) => {
        const status = response.statusCode ?? 0;
        if (status === 404) resolve(undefined);
        else if (status < 300) resolve(answer as Result);
        else reject(new Error(`${method} ${path}: ${JSON.stringify(answer)}`));
      }, reject);
    });
    outgoing.setHeader('content-type', 'application/json').setHeader('content-length', Buffer.byteLength(content));
    outgoing.on('error', reject).end(content);
  });
}

/** Calls back for each event, until the process ends. A watch that ends before it ends the process: what is measured hangs on it. */
export function watchApi(path: string, onEvent: (event: unknown) => void): void {
  const broken = (reason: string): void => {
    throw new Error(`The watch of ${path} ended: ${reason}`);
  };
  request({ ...target(path), agent: new Agent({ ca }) }, (response) => {
    if (response.statusCode !== 200) broken(`status ${response.statusCode}`);
    createInterface(response)
      .on('line', (line) => onEvent(JSON.parse(line)))
      .on('close', () => broken('closed'));
  })
    .on('error', ({ message }) => broken(message))
    .end();
}

function target(path: string): RequestOptions {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = process.env;
  return { host, port, path, headers: { authorization: `Bearer ${token}` } };
}
