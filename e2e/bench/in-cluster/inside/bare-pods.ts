/**
 * The floors: how long Kubernetes alone takes to start an HTTP server of the same Node in a pod that asks for nothing that costs time, no volume and no
 * token. Each pod gives both: its program calls home as soon as it listens, and its address comes to its status later.
 */
import { createServer, get } from 'node:http';
import { text } from 'node:stream/consumers';
import { callApi } from './api.ts';
import { PODS, untilPods } from './pods.ts';

/** Milliseconds since just before the call that made the pod. */
export interface BareStart {
  readonly calledHome: number;
  /** Its first 200 at the address of its status. */
  readonly answered: number;
  /** How long the program ran before it called home: the part of it that is not Kubernetes'. */
  readonly program: number;
}

const HOME_PORT = 18_080;
const PROGRAM = `const { createServer, request } = require('node:http');
createServer((incoming, response) => response.end('ok')).listen(8080, () => {
  request({ host: process.env.HOME_ADDRESS, port: ${HOME_PORT}, method: 'POST' })
    .end(JSON.stringify({ pod: process.env.POD, program: process.uptime() * 1000 }));
});`;

const waiting = new Map<string, (call: { readonly at: number; readonly program: number }) => void>();

export function listenAtHome(): Promise<void> {
  const server = createServer((incoming, response) => {
    const at = performance.now();
    void text(incoming).then((body) => {
      const { pod, program } = JSON.parse(body) as { readonly pod: string; readonly program: number };
      waiting.get(pod)?.({ at, program });
      response.end();
    });
  });
  return new Promise((resolve) => server.listen(HOME_PORT, resolve));
}

export async function startBarePod(name: string, image: string): Promise<BareStart> {
  const home = new Promise<{ at: number; program: number }>((resolve) => waiting.set(name, resolve));
  const start = performance.now();
  const created = callApi('POST', PODS, manifest(name, image));
  const address = untilPods(`the address of ${name}`, (pods) => pods.get(name)?.status.podIP);
  const answered = address.then(firstAnswer).then(() => performance.now() - start);
  const [{ at, program }] = await Promise.all([home, created, answered]);
  return { calledHome: at - start, answered: await answered, program };
}

export async function removeBarePods(names: readonly string[]): Promise<void> {
  await Promise.all(names.map((name) => callApi('DELETE', `${PODS}/${name}`)));
  await untilPods('bare pods gone', (pods) => (names.some((name) => pods.has(name)) ? undefined : true));
}

async function firstAnswer(host: string): Promise<void> {
  const ask = (): Promise<boolean> =>
    new Promise((resolve) => {
      get({ host, port: 8080, agent: false }, (response) => {
        response.resume();
        resolve(response.statusCode === 200);
      }).on('error', () => resolve(false));
    });
  while (!(await ask())) await new Promise((resolve) => setTimeout(resolve, 2));
}

function manifest(name: string, image: string): unknown {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: {
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      terminationGracePeriodSeconds: 0,
      securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
      containers: [
        {
          name: 'bare',
          image,
          command: ['node', '-e', PROGRAM],
          env: [
            { name: 'POD', value: name },
            { name: 'HOME_ADDRESS', value: process.env['POD_ADDRESS'] },
          ],
          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
        },
      ],
    },
  };
}
