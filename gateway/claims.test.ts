/** A revision with a concurrencyLimit behind several gateways: one of them gives out the pods' slots, whoever has the client. */
import { createServer, request as httpRequest, type Server } from 'node:http';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { FunctionRoute } from '../common/wire/routes.ts';
import { REQUEST_HEADERS, RESPONSE_HEADERS } from '../common/wire/headers.ts';
import { signToken } from '../common/wire/tokens.ts';
import { CLAIM_RESULTS } from './metrics/control-counters.ts';
import { closeServer, listen } from './listen.ts';
import { answerTo, call, open, type Answer } from './testing/client.ts';
import {
  announcementOf,
  CONTROL_TOKEN,
  functionRoute,
  type GatewayFixture,
  KEY,
  revisionRoute,
} from './testing/gateway-fixture.ts';
import { GatewayGroup } from './testing/gateway-group.ts';
import { refuse, StubRuntime, withoutAdmission, type Received } from './testing/stub-runtime.ts';

// Nothing here waits for time; three gateways in one process only take their turns.

const IN_FLIGHT = 'pilotlight_gateway_requests_in_flight';
const QUEUED = 'pilotlight_gateway_requests_queued';

/** A pod that admits one request at a time and answers it when the test says so. */
class SinglePod {
  readonly runtime: StubRuntime;
  /** Bodies, in the order in which they were admitted. */
  readonly admitted: string[] = [];
  refused = 0;
  answersAtOnce = false;
  #current: Received | undefined;

  private constructor(runtime: StubRuntime) {
    this.runtime = runtime;
    runtime.behaviour = withoutAdmission((received) => this.#take(received));
  }

  static async start(uid: string): Promise<SinglePod> {
    return new SinglePod(await StubRuntime.start(uid));
  }

  get isBusy(): boolean {
    return this.#current !== undefined;
  }

  answer(): void {
    const current = this.#current;
    if (current === undefined) throw new Error('The pod has no request.');
    this.#current = undefined;
    current.response.writeHead(200, { [RESPONSE_HEADERS.podUid]: this.runtime.uid }).end('done');
  }

  #take(received: Received): void {
    const { request, response } = received;
    if (this.#current !== undefined) {
      this.refused += 1;
      refuse('LimitReached')(received, this.runtime);
      return;
    }
    this.#current = received;
    if (request.headers[REQUEST_HEADERS.tellAdmission] !== undefined) response.writeProcessing();
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    response.on('close', () => {
      if (this.#current === received) this.#current = undefined;
    });
    request.on('end', () => {
      this.admitted.push(Buffer.concat(chunks).toString());
      if (this.answersAtOnce) setImmediate(() => this.#current === received && this.answer());
    });
  }
}

let group: GatewayGroup;
const pods: SinglePod[] = [];
const servers: Server[] = [];
afterEach(async () => {
  await group.close();
  for (const { runtime } of pods.splice(0)) await runtime.close();
  for (const server of servers.splice(0)) server.close();
});

function limited(given: readonly SinglePod[]): FunctionRoute {
  return functionRoute({
    concurrencyLimit: 1,
    revisions: [revisionRoute(given.map(({ runtime }) => runtime.route()))],
  });
}

/** So many gateways in front of so many pods. */
async function start(gateways: number, count: number): Promise<SinglePod[]> {
  for (let at = 0; at < count; at += 1) pods.push(await SinglePod.start(`pod${at}`));
  group = await GatewayGroup.start(gateways, [limited(pods)]);
  return pods;
}

const send = (at: number, body: string): Promise<Answer> => call(group.port(at), { body });
const statuses = async (answers: readonly Promise<Answer>[]): Promise<number[]> =>
  (await Promise.all(answers)).map(({ status }) => status);
const until = (holds: () => boolean): Promise<void> => group.gateway(0).until(holds);

describe('a request to a gateway that is not the owner', () => {
  test('goes to the pod that the owner grants, and is demand of that gateway alone', async () => {
    const [pod] = (await start(2, 1)) as [SinglePod];
    const answer = send(group.other, 'a');
    await until(() => pod.isBusy);
    expect(await group.gateway(group.other).metric(IN_FLIGHT)).toBe(1);
    expect(await group.gateway(group.owner).metric(IN_FLIGHT)).toBe(0);
    pod.answer();
    expect((await answer).status).toBe(200);
    await group.sums(IN_FLIGHT, 0);
    expect(await group.gateway(group.owner).metric('pilotlight_gateway_requests_total')).toBe(0);
  });

  test('waits for the first pod at zero', async () => {
    const runtime = await StubRuntime.start('late');
    group = await GatewayGroup.start(2, [limited([])]);
    const answer = send(group.other, 'a');
    await group.sums(QUEUED, 1);
    for (const gateway of group.gateways) await gateway.announce(runtime);
    const { status, headers } = await answer;
    expect({ status, isCold: headers['pilotlight-cold-start'] !== undefined }).toEqual({ status: 200, isCold: true });
    await runtime.close();
  });

  test('goes to a pod that has announced itself to the owner alone so far', async () => {
    const runtime = await StubRuntime.start('early');
    group = await GatewayGroup.start(2, [limited([])]);
    const answer = send(group.other, 'a');
    await group.sums(QUEUED, 1);
    await group.gateway(group.owner).announce(runtime);
    expect((await answer).status).toBe(200);
    await runtime.close();
  });

  test('keeps its large body until it has a pod', async () => {
    const [pod] = (await start(2, 1)) as [SinglePod];
    const first = send(group.owner, 'a');
    await until(() => pod.isBusy);
    const body = 'x'.repeat(3_000_000);
    const second = send(group.other, body);
    await group.sums(QUEUED, 1);
    pod.answer();
    await until(() => pod.admitted.length === 2);
    expect(pod.admitted[1]?.length).toBe(body.length);
    pod.answer();
    expect(await statuses([first, second])).toEqual([200, 200]);
  });

  test('frees its place at the owner when its client leaves', async () => {
    const [pod] = (await start(2, 1)) as [SinglePod];
    const first = send(group.owner, 'a');
    await until(() => pod.isBusy);
    const leaving = open(group.port(group.other), { body: '' });
    leaving.on('error', () => undefined);
    leaving.end('gone');
    await group.sums(QUEUED, 1);
    const last = send(group.other, 'b');
    await group.sums(QUEUED, 2);
    leaving.destroy();
    await group.sums(QUEUED, 1);
    pod.answer();
    await until(() => pod.admitted.length === 2);
    pod.answer();
    expect(await statuses([first, last])).toEqual([200, 200]);
    expect(pod.admitted).toEqual(['a', 'b']);
  });

  test('gives its slot back when its client leaves while the pod has it', async () => {
    const [pod] = (await start(2, 1)) as [SinglePod];
    const leaving = open(group.port(group.other), { body: '' });
    leaving.on('error', () => undefined);
    leaving.end('gone');
    await until(() => pod.isBusy);
    const next = send(group.owner, 'b');
    await group.sums(QUEUED, 1);
    leaving.destroy();
    await until(() => pod.admitted.length === 2);
    pod.answer();
    expect((await next).status).toBe(200);
  });

  test('whose pod refuses it goes before all others', async () => {
    const [pod] = (await start(2, 1)) as [SinglePod];
    // Somebody whom the owner does not know has the slot.
    const stranger = answerTo(
      httpRequest({ host: '127.0.0.1', port: pod.runtime.ports.http, method: 'POST', agent: false }).end('s'),
    );
    await until(() => pod.admitted.length === 1);
    const first = send(group.other, 'a');
    await until(() => pod.refused > 0);
    const second = send(group.owner, 'b');
    await group.sums(QUEUED, 2);
    pod.answer();
    expect((await stranger).status).toBe(200);
    pod.answersAtOnce = true;
    while (pod.admitted.length < 3) await group.gateway(group.owner).clock.advance(10);
    expect(await statuses([first, second])).toEqual([200, 200]);
    expect(pod.admitted).toEqual(['s', 'a', 'b']);
  });
});

test('the owner’s metrics tell of claims that wait, that have a slot, and what became of all', async () => {
  const [pod] = (await start(2, 1)) as [SinglePod];
  const owner = group.gateway(group.owner);
  const claims = async (): Promise<unknown> => ({
    waiting: await owner.metric('pilotlight_gateway_claims', { state: 'waiting' }),
    granted: await owner.metric('pilotlight_gateway_claims', { state: 'granted' }),
    results: await Promise.all(
      CLAIM_RESULTS.map((result) => owner.metric('pilotlight_gateway_claims_total', { result })),
    ),
  });
  const become = async (expected: unknown): Promise<void> => {
    await owner.until(async () => JSON.stringify(await claims()) === JSON.stringify(expected));
  };
  const first = send(group.other, 'a');
  await until(() => pod.isBusy);
  const leaving = open(group.port(group.other), { body: '' });
  leaving.on('error', () => undefined);
  leaving.end('gone');
  await become({ waiting: 1, granted: 1, results: [1, 0, 0] });
  leaving.destroy();
  await become({ waiting: 0, granted: 1, results: [1, 0, 1] });
  pod.answer();
  await first;
  await become({ waiting: 0, granted: 0, results: [1, 0, 1] });
  const last = send(group.owner, 'b');
  await until(() => pod.isBusy);
  const denied = send(group.other, 'c');
  await become({ waiting: 1, granted: 0, results: [1, 0, 1] });
  group.changeAt(group.owner, [{ ...limited(pods), revisions: [], traffic: [] }]);
  await become({ waiting: 0, granted: 0, results: [1, 1, 1] });
  pod.answersAtOnce = true;
  pod.answer();
  // The gateway that asked tries the pod by itself, perhaps while that still had the other request, and again a little later.
  const progress = { isDone: false };
  void denied.finally(() => (progress.isDone = true));
  while (!progress.isDone) await group.gateway(group.other).clock.advance(10);
  expect(await statuses([last, denied])).toEqual([200, 200]);
});

test('requests of all gateways are served in the order in which they came', async () => {
  const [pod] = (await start(3, 1)) as [SinglePod];
  const answers: Promise<Answer>[] = [];
  const order: string[] = [];
  for (let at = 0; at < 9; at += 1) {
    order.push(String(at));
    answers.push(send(at % 3, String(at)));
    // One after the other, each in the owner's queue before the next.
    if (at === 0) await until(() => pod.isBusy);
    else await group.sums(QUEUED, at);
  }
  pod.answersAtOnce = true;
  pod.answer();
  expect(await statuses(answers)).toEqual(order.map(() => 200));
  expect(pod.admitted).toEqual(order);
  expect(pod.refused).toBe(0);
});

test('every pod is busy while a request waits, and none is asked beyond its limit', async () => {
  await start(3, 4);
  const answers = Array.from({ length: 12 }, (_, at) => send(at % 3, String(at)));
  for (let left = 8; left >= 0; left -= 1) {
    await group.sums(QUEUED, left);
    await group.sums(IN_FLIGHT, 4);
    await until(() => pods.every(({ isBusy }) => isBusy));
    if (left > 0) pods[left % 4]?.answer();
  }
  for (const pod of pods) pod.answer();
  expect(await statuses(answers)).toEqual(answers.map(() => 200));
  expect(pods.map(({ refused }) => refused)).toEqual([0, 0, 0, 0]);
});

describe('nothing is lost', () => {
  test('when the owner dies: who waits there is served by its own gateway, and who has a slot keeps it', async () => {
    const [pod] = (await start(2, 1)) as [SinglePod];
    const { owner, other } = group;
    const answers = ['a', 'b', 'c'].map((body) => send(other, body));
    await until(() => pod.isBusy);
    await group.sums(QUEUED, 2);
    await group.gateway(owner).closeGateway();
    await until(() => pod.admitted.length === 1);
    pod.answersAtOnce = true;
    pod.answer();
    await group.gateway(other).until(async () => {
      await group.gateway(other).clock.advance(10);
      return pod.admitted.length === 3;
    });
    expect(await statuses(answers)).toEqual([200, 200, 200]);
    expect(pod.admitted).toEqual(['a', 'b', 'c']);
  });

  test('when ownership moves: who waits goes on waiting at the next owner, in its order', async () => {
    const [pod] = (await start(3, 1)) as [SinglePod];
    const { owner } = group;
    const next = group.other;
    const third = 3 - owner - next;
    const answers = [send(third, 'a')];
    await until(() => pod.isBusy);
    for (const [at, from] of [owner, next, third].entries()) {
      answers.push(send(from, 'bcd'[at] ?? ''));
      await group.sums(QUEUED, at + 1);
    }
    await group.name([0, 1, 2].filter((at) => at !== owner));
    expect(group.owner).not.toBe(owner);
    await group.sums(QUEUED, 3);
    pod.answersAtOnce = true;
    pod.answer();
    const advance = async (): Promise<boolean> => {
      for (const gateway of group.gateways) await gateway.clock.advance(10);
      return pod.admitted.length === 4;
    };
    await group.gateway(0).until(advance);
    expect(await statuses(answers)).toEqual([200, 200, 200, 200]);
    expect([...pod.admitted].sort()).toEqual(['a', 'b', 'c', 'd']);
  });

  test('when gateways come and go under load', async () => {
    await start(3, 3);
    for (const pod of pods) pod.answersAtOnce = true;
    const progress = { sent: 0, isDone: false };
    const answers: number[] = [];
    const client = async (at: number): Promise<void> => {
      for (let turn = 0; turn < 10; turn += 1) {
        progress.sent += 1;
        answers.push((await send(at % 3, 'x')).status);
      }
    };
    const clients = Promise.all(Array.from({ length: 12 }, (_, at) => client(at))).then(() => {
      progress.isDone = true;
    });
    const namings = [
      [1, 2],
      [0, 1, 2],
      [0, 2],
      [0, 1, 2],
    ];
    for (let turn = 0; !progress.isDone; turn += 1) {
      // Pods that refuse meanwhile are asked again only as time goes on.
      for (const gateway of group.gateways) await gateway.clock.advance(5);
      if (turn % 5 === 0) await group.name(namings[(turn / 5) % namings.length] ?? []);
    }
    await clients;
    expect(new Set(answers)).toEqual(new Set([200]));
    await group.sums(IN_FLIGHT, 0);
    await group.sums(QUEUED, 0);
  });

  test('while each of two gateways takes the other for the owner', async () => {
    const [pod] = (await start(2, 1)) as [SinglePod];
    const { owner, other } = group;
    // The owner is told that there is only the other, and goes on owning for that one.
    await group.tell(owner, [other]);
    const { gateways } = group;
    await gateways[owner]!.until(async () => (await gateways[owner]!.metric('pilotlight_gateway_peers')) === 1);
    pod.answersAtOnce = true;
    const answers = Array.from({ length: 10 }, (_, at) => send(at % 2, 'x'));
    const progress = { isDone: false };
    const all = statuses(answers).finally(() => (progress.isDone = true));
    while (!progress.isDone) for (const gateway of gateways) await gateway.clock.advance(5);
    expect(new Set(await all)).toEqual(new Set([200]));
  });

  test('when the owner does not know the revision yet', async () => {
    const [pod] = (await start(2, 1)) as [SinglePod];
    const { owner, other } = group;
    const leaderOfOwner = await group.gateway(owner).operator('late');
    leaderOfOwner.routes(99, []);
    await group.gateway(owner).tookEpoch(99);
    pod.answersAtOnce = true;
    expect((await send(other, 'a')).status).toBe(200);
  });

  test('when the owner accepts and never says a word', async () => {
    const [pod] = (await start(2, 1)) as [SinglePod];
    const { other } = group;
    const mute = createServer((_request, response) => {
      response.writeHead(200).flushHeaders();
    });
    servers.push(mute);
    const controlPort = await listen(mute, 0, '127.0.0.1');
    const leader = await group.gateway(other).operator('second');
    const all = [{ id: 'mute', host: '127.0.0.1', controlPort }];
    leader.routes(99, [limited(pods)], { self: 'me', all });
    await group.gateway(other).tookEpoch(99);
    await group.gateway(other).until(async () => (await group.gateway(other).metric('pilotlight_gateway_peers')) === 1);
    pod.answersAtOnce = true;
    const answer = send(other, 'a');
    await group.gateway(other).queued(1);
    await group.gateway(other).clock.advance(3_000);
    expect((await answer).status).toBe(200);
    await group.close();
    await closeServer(mute, group.gateway(other).clock, 0);
  });
});

describe('claims', () => {
  const claims = (gateway: GatewayFixture, token: string): ReturnType<typeof httpRequest> =>
    httpRequest({
      host: '127.0.0.1',
      port: gateway.ports.control,
      method: 'POST',
      path: '/v1/claims',
      agent: false,
      headers: { authorization: `Bearer ${token}` },
    });

  test('are not taken with a pod’s token', async () => {
    const [pod] = (await start(1, 1)) as [SinglePod];
    const token = signToken(KEY, 'announce', announcementOf(pod.runtime));
    expect((await answerTo(claims(group.gateway(0), token).end())).status).toBe(401);
  });

  test.each([
    ['no JSON', 'x\n'],
    ['no message', '{"type":"steal"}\n'],
    ['a claim without a revision', '{"type":"claim","id":1}\n'],
    ['a line without an end', 'x'.repeat(20_000)],
    [
      'one claim twice',
      '{"type":"claim","id":1,"namespace":"default","revision":"digits-00001","waited":0,"again":false}\n'.repeat(2),
    ],
  ])('end with their stream at %s, and their slots are free', async (_, text) => {
    const [pod] = (await start(1, 1)) as [SinglePod];
    const stream = claims(group.gateway(0), CONTROL_TOKEN);
    const answer = answerTo(stream);
    stream.write(text);
    expect((await answer).status).toBe(200);
    pod.answersAtOnce = true;
    expect((await send(0, 'a')).status).toBe(200);
  });

  test('hold a slot no longer than their gateway is heard of', async () => {
    const [pod] = (await start(1, 1)) as [SinglePod];
    const stream = claims(group.gateway(0), CONTROL_TOKEN);
    stream.on('error', () => undefined);
    const granted = new Promise<string>((resolve) => {
      let text = '';
      stream.on('response', (response) => {
        response.on('error', () => undefined);
        response.on('data', (chunk: Buffer) => {
          text += chunk.toString();
          if (text.includes('grant')) resolve(text);
        });
      });
    });
    stream.write('{"type":"claim","id":1,"namespace":"default","revision":"digits-00001","waited":0,"again":false}\n');
    expect(await granted).toContain('"uid":"pod0"');
    pod.answersAtOnce = true;
    const answer = send(0, 'a');
    await group.sums(QUEUED, 1);
    await group.gateway(0).clock.advance(3_000);
    expect((await answer).status).toBe(200);
  });
});

test('a limit that is lifted lets those go that waited at another gateway', async () => {
  const [pod] = (await start(2, 1)) as [SinglePod];
  const first = send(group.other, 'a');
  await until(() => pod.isBusy);
  const second = send(group.other, 'b');
  await group.sums(QUEUED, 1);
  group.change([{ ...limited(pods), concurrencyLimit: 0 }]);
  await until(() => pod.refused === 1);
  pod.answersAtOnce = true;
  pod.answer();
  const { clock } = group.gateway(group.other);
  while (pod.admitted.length < 2) await clock.advance(10);
  expect(await statuses([first, second])).toEqual([200, 200]);
});
