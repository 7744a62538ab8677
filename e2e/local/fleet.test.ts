import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { systemClock, wait } from '../../common/platform/clock.ts';
import { NOT_ADMITTED, RESPONSE_HEADERS } from '../../common/wire/headers.ts';
import { MODEL_FUNCTIONS } from '../../operator/cluster/resources.ts';
import { DIGITS } from './examples.ts';
import { Fleet } from './fleet.ts';
import { NAMESPACE, PATIENCE_MILLISECONDS, startPlatform, type Platform } from './platform.ts';
import { waitUntil } from './processes.ts';
import { sendRequest, UnfinishedRequest } from './request.ts';

jest.setTimeout(60_000);

/** 3 s until a gateway counts as silent, a stable window, and the tick that would act on it. */
const LONGER_THAN_MEMORY_MILLISECONDS = 11_000;

/** The operator connects again at the latest 3 s after its last try, and decides within 2 s more. */
const LONGER_THAN_REACTION_MILLISECONDS = 5_000;

const fleet = new Fleet();
let platform: Platform;
beforeAll(async () => {
  platform = await startPlatform((surroundings) => fleet.start(surroundings));
  const model = { uri: DIGITS.uri };
  await platform.apply('digits', { model, scaling: { target: 2, maxReplicas: 4 } });
  await platform.apply('limited', { model, concurrencyLimit: 1, scaling: { minReplicas: 1, maxReplicas: 1 } });
  await platform.apply('stubbed', { model, scaling: { minReplicas: 1, maxReplicas: 1 } });
  for (const name of ['digits', 'limited', 'stubbed']) await platform.untilReady(name);
});
afterAll(() => platform.close());

function unfinished(name: string, gateway: number): UnfinishedRequest {
  return new UnfinishedRequest(platform.url(name, `/v2/models/${name}/infer`, gateway), DIGITS.request);
}

test('replicas follow the demand of both gateways; a cut stream or a silent gateway neither adds nor takes one', async () => {
  // 3 requests at a target of 2 need 2 replicas; without the second gateway's it were 1, with them twice 3.
  const requests = [0, 1, 1].map((gateway) => unfinished('digits', gateway));
  await platform.untilReplicas('digits', 2);
  const stop = new AbortController();
  const desired = new Set<number | undefined>();
  platform.cluster.watch(
    MODEL_FUNCTIONS,
    { namespace: NAMESPACE },
    (event) => {
      if (event.type === 'Applied' && event.object.metadata.name === 'digits') {
        desired.add(event.object.status?.desiredReplicas);
      }
    },
    stop.signal,
  );

  for (const relay of fleet.relays) {
    const before = relay.count;
    relay.cut();
    await waitUntil('the operator is connected again', () => relay.count > before, PATIENCE_MILLISECONDS);
  }
  fleet.gateways[1]!.pause();
  await wait(systemClock, LONGER_THAN_MEMORY_MILLISECONDS);
  fleet.gateways[1]!.resume();
  await wait(systemClock, LONGER_THAN_REACTION_MILLISECONDS);

  const answers = await Promise.all(requests.map((request) => request.finish()));
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
  stop.abort();
  expect([...desired]).toEqual([2]);
});

async function metricsOf(gateway: number): Promise<string> {
  return (await sendRequest(platform.parts.metrics[gateway] ?? '')).body.toString();
}

test('a pod with a limit is asked by one gateway for both: who is over it waits, and none is refused', async () => {
  const pod = await platform.onlyPod('limited');
  for (const [holder, waiter] of [
    [0, 1],
    [1, 0],
  ] as const) {
    const first = unfinished('limited', holder);
    await platform.untilInPod(pod, 1);
    const second = platform.infer('limited', DIGITS.request, {}, waiter);
    const waits = /^pilotlight_gateway_requests_queued{.*function="limited".*} 1$/m;
    await waitUntil('the second waits', async () => waits.test(await metricsOf(waiter)), PATIENCE_MILLISECONDS);
    await platform.untilInPod(pod, 1);

    expect((await first.finish()).status).toBe(200);
    expect((await second).status).toBe(200);
  }
  for (const gateway of [0, 1]) {
    expect(await metricsOf(gateway)).toMatch(
      /^pilotlight_gateway_retries_total{.*function="limited".*reason="not-begun"} 0$/m,
    );
  }
});

test('while one gateway does nothing at all, the other serves a function with a limit by itself', async () => {
  for (const [silent, other] of [
    [0, 1],
    [1, 0],
  ] as const) {
    const gateway = fleet.gateways[silent];
    gateway?.pause();
    try {
      expect((await platform.infer('limited', DIGITS.request, {}, other)).status).toBe(200);
    } finally {
      gateway?.resume();
    }
    expect((await platform.infer('limited', DIGITS.request, {}, silent)).status).toBe(200);
  }
});

test('many clients of a pod with a limit of one are all served', async () => {
  const clients = Array.from({ length: 16 }, async (_, client) => {
    const statuses: number[] = [];
    for (let turn = 0; turn < 5; turn++) {
      statuses.push((await platform.infer('limited', DIGITS.request, {}, client % 2)).status);
    }
    return statuses;
  });
  expect(new Set((await Promise.all(clients)).flat())).toEqual(new Set([200]));
});

describe('a pod that is none of ours', () => {
  const REVISION = 'stubbed-00001';

  /** A server that calls itself a pod. */
  async function stub(answer: (pod: { uid: string }) => { status: number; headers: Record<string, string> }): Promise<{
    readonly server: Server;
    readonly pod: string;
    readonly uid: string;
    readonly requests: IncomingMessage[];
    readonly ports: { http: number; control: number };
  }> {
    const uid = crypto.randomUUID();
    const requests: IncomingMessage[] = [];
    const server = createServer((request, response) => {
      requests.push(request);
      const { status, headers } = answer({ uid });
      request.resume().once('end', () => response.writeHead(status, headers).end('{}'));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    return { server, pod: `${REVISION}-7`, uid, requests, ports: { http: port, control: port } };
  }

  const infer = async (): Promise<number> => (await platform.infer('stubbed', DIGITS.request)).status;

  test.each([
    { what: 'without a token', token: () => undefined, want: 401 },
    { what: 'with a token that nobody made', token: () => 'test.AAAA', want: 403 },
    { what: "with another pod's token", token: () => fleet.tokenOf(REVISION, `${REVISION}-0`), want: 403 },
  ])('announces itself $what: it is refused and gets no request', async ({ token, want }) => {
    const { server, pod, uid, ports, requests } = await stub(() => ({ status: 200, headers: {} }));
    const { status } = await fleet.announce({ revision: REVISION, pod, uid, ports }, token());
    expect(status).toBe(want);
    for (let count = 0; count < 20; count++) expect(await infer()).toBe(200);
    expect(requests).toEqual([]);
    server.close();
  });

  const refusals = Object.entries(NOT_ADMITTED).map(([reason, status]) => ({
    what: `answers ${status} ${reason}`,
    answer: ({ uid }: { uid: string }) => ({
      status,
      headers: { [RESPONSE_HEADERS.notAdmitted]: reason, [RESPONSE_HEADERS.podUid]: uid },
    }),
  }));
  test.each([
    ...refusals,
    { what: 'answers 200 without saying who it is', answer: () => ({ status: 200, headers: {} }) },
  ])('$what: the request goes to another pod', async ({ answer }) => {
    const { server, pod, uid, ports, requests } = await stub(answer);
    const { status } = await fleet.announce({ revision: REVISION, pod, uid, ports }, fleet.tokenOf(REVISION, pod));
    expect(status).toBe(204);
    while (requests.length === 0) expect(await infer()).toBe(200);
    server.closeAllConnections();
    server.close();
  });
});
