/** Which failures are tried again, when, and how often: before a fetch that answers from a script, with time standing still. */
import { describe, expect, test } from '@jest/globals';
import { ManualClock } from '../common/platform/manual-clock.ts';
import { GATEWAY_ERRORS, RETRYABLE_CODES, type GatewayErrorCode } from '../common/wire/errors.ts';
import { InferenceClient, type ClientOptions } from './inference-client.ts';
import type { CallOptions } from './connection.ts';
import type { InferenceResult } from './model-client.ts';

type Step = readonly [status: number, headers?: Record<string, string>, body?: string] | Error;

const DONE: Step = [200, {}, '{"outputs":[]}'];
const X = { x: { shape: [1], data: Float32Array.of(1) } };

interface Scripted {
  readonly clock: ManualClock;
  /** Milliseconds at which each request came. */
  readonly sent: number[];
  readonly client: InferenceClient;
  infer(options?: CallOptions): Promise<InferenceResult>;
}

/** After the script's end every request is answered as by its last step; an Error is a fetch that rejects. */
function scripted(steps: readonly [Step, ...Step[]], options: ClientOptions = {}): Scripted {
  const clock = new ManualClock();
  const sent: number[] = [];
  const client = new InferenceClient('http://scripted', {
    clock,
    random: () => 0,
    // Otherwise who is answered 400 asks what the server can do.
    encoding: 'binary',
    fetch: (_url, init) => {
      const step = steps[sent.length] ?? steps[steps.length - 1] ?? DONE;
      sent.push(clock.monotonic());
      init?.signal?.throwIfAborted();
      if (step instanceof Error) return Promise.reject(step);
      const [status, headers = {}, body = ''] = step;
      return Promise.resolve(answer(status, headers, body));
    },
    ...options,
  });
  return { clock, sent, client, infer: (call) => client.model('m').infer(X, call) };
}

/** Whole at once, where a real one takes turns of the event loop that a clock standing still does not wait for. */
function answer(status: number, headers: Record<string, string>, body: string): Response {
  const bytes = new TextEncoder().encode(body).buffer;
  const response = new Response(null, { status, headers });
  return Object.assign(response, { arrayBuffer: () => Promise.resolve(bytes) });
}

/** What the call rejects with. */
function failure(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    () => undefined,
    (error: unknown) => error,
  );
}

/** Lets what has begun reach its first wait, and then time pass. */
async function pass(clock: ManualClock, milliseconds: number): Promise<void> {
  await clock.advance(0);
  await clock.advance(milliseconds);
}

function gateway(code: GatewayErrorCode, headers: Record<string, string> = {}): Step {
  return [GATEWAY_ERRORS[code].status, headers, JSON.stringify({ error: 'A sentence.', code })];
}

const refused = new TypeError('fetch failed', { cause: Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }) });
const reset = new TypeError('fetch failed', { cause: Object.assign(new Error('read'), { code: 'ECONNRESET' }) });
/** An error of the system; `syscall` is what the connection was doing. */
function noRoute(syscall: string): Step {
  const cause = Object.assign(new Error(syscall), { code: 'EHOSTUNREACH', syscall });
  return new TypeError('fetch failed', { cause });
}

test.each<[about: string, step: Step, retried: boolean]>([
  ...(Object.keys(GATEWAY_ERRORS) as GatewayErrorCode[]).map((code): [string, Step, boolean] => [
    `the gateway’s ${code}`,
    gateway(code),
    RETRYABLE_CODES.includes(code),
  ]),
  ['a pod that did not admit it', [503, { 'pilotlight-not-admitted': 'Draining' }, '{"error":"a"}'], true],
  ['another pod', [421, { 'pilotlight-not-admitted': 'WrongPod' }, '{"error":"a"}'], true],
  ['429 of anybody', [429, {}, '{"error":"a"}'], true],
  ['503 that asks to come back', [503, { 'retry-after': '0' }, 'busy'], true],
  ['503 of a proxy, which may have lost it midway', [503, {}, 'upstream reset'], false],
  ['503 with a code that is not known', [503, { 'retry-after': '1' }, '{"error":"a","code":"model-broke"}'], false],
  ['a wrong request', [400, {}, '{"error":"a"}'], false],
  ['500', [500, { 'retry-after': '1' }, ''], false],
  ['a connection that was refused', refused, true],
  ['a connection that broke', reset, false],
  ['no way to a host', noRoute('connect'), true],
  ['no way to a host that has the request, perhaps', noRoute('read'), false],
  ['no way to a host that has a part of the request', noRoute('write'), false],
])('%s: %j is sent again: %s', async (_about, step, retried) => {
  const { clock, sent, infer } = scripted([step, DONE]);
  const outcome = infer().then(
    () => 'answered',
    (error: unknown) => error,
  );
  await pass(clock, 5_000);
  if (retried) expect(await outcome).toBe('answered');
  else expect(await outcome).toMatchObject({ name: 'InferenceError', retryable: false });
  expect(sent).toHaveLength(retried ? 2 : 1);
  expect(clock.pending).toBe(0);
});

describe('the time between attempts', () => {
  test('doubles, and its later half is random', async () => {
    const { clock, sent, infer } = scripted([gateway('no-routes')], { maxRetries: 7 });
    const failed = failure(infer());
    await pass(clock, 60_000);
    expect(await failed).toMatchObject({ code: 'no-routes', status: 503, retryable: true });
    expect(sent).toEqual([0, 125, 375, 875, 1875, 3875, 7875, 11875]);
    const late = scripted([gateway('no-routes'), DONE], { random: () => 1 });
    const done = late.infer();
    await pass(late.clock, 1_000);
    await done;
    expect(late.sent).toEqual([0, 250]);
  });

  test('is at least what the server asks for', async () => {
    const inTwoSeconds = new Date(new ManualClock().now() + 3_000).toUTCString();
    const steps: [Step, ...Step[]] = [
      gateway('queue-full', { 'retry-after': '1' }),
      gateway('queue-full', { 'retry-after': inTwoSeconds }),
      DONE,
    ];
    const { clock, sent, infer } = scripted(steps);
    const done = infer();
    await pass(clock, 10_000);
    await done;
    expect(sent).toEqual([0, 1000, 3000]);
  });

  test('is not begun where the server asks for more than a minute', async () => {
    const { infer, sent } = scripted([[503, { 'retry-after': '61' }, '']]);
    await expect(infer()).rejects.toMatchObject({ status: 503, retryAfter: 61_000 });
    expect(sent).toHaveLength(1);
  });

  test('is not begun where it would outlast the timeout: the error says more', async () => {
    const { infer, sent, clock } = scripted([gateway('queue-full', { 'retry-after': '1' })]);
    await expect(infer({ timeout: 900 })).rejects.toMatchObject({ code: 'queue-full', retryAfter: 1000 });
    expect(sent).toHaveLength(1);
    expect(clock.pending).toBe(0);
  });

  test('ends with the caller’s signal', async () => {
    const { infer, sent, clock } = scripted([gateway('queue-full', { 'retry-after': '1' })]);
    const stop = new AbortController();
    const failed = failure(infer({ signal: stop.signal }));
    await pass(clock, 500);
    stop.abort(new Error('The user left.'));
    expect(await failed).toMatchObject({ message: 'The user left.' });
    expect(sent).toHaveLength(1);
    expect(clock.pending).toBe(0);
  });
});

test.each([0, 2])('%i retries are made at most', async (maxRetries) => {
  const { clock, sent, infer } = scripted([gateway('no-routes')]);
  const failed = failure(infer({ maxRetries }));
  await pass(clock, 60_000);
  expect(await failed).toMatchObject({ code: 'no-routes' });
  expect(sent).toHaveLength(maxRetries + 1);
});

test('what only reads is sent again over a connection that broke', async () => {
  const { clock, client } = scripted([reset, [200, {}, '{"name":"s"}']]);
  const metadata = client.metadata();
  await pass(clock, 1_000);
  expect(await metadata).toEqual({ name: 's' });
});

test('a call that takes too long says how to allow more', async () => {
  const fetch = (_url: unknown, init?: { signal?: AbortSignal | null }): Promise<Response> =>
    new Promise((_resolve, reject) => {
      init?.signal?.addEventListener('abort', () => reject(new Error('aborted')));
    });
  const { clock, infer } = scripted([DONE], { fetch, timeout: 2_000 });
  const failed = failure(infer());
  await pass(clock, 2_000);
  const message = 'There was no answer within 2000 ms; the option timeout allows more.';
  expect(await failed).toMatchObject({ code: 'timeout', message });
  expect(clock.pending).toBe(0);
});

test('Infinity is no timeout', async () => {
  const { infer, clock } = scripted([DONE]);
  await infer({ timeout: Infinity });
  expect(clock.pending).toBe(0);
});
