import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { isTrue } from '../../common/api/conditions.ts';
import type { ModelFunction, ModelFunctionManifest } from '../../common/api/kinds.ts';
import { MODEL_REVISIONS } from '../../operator/cluster/resources.ts';
import { DIGITS } from './examples.ts';
import { closedPort, ModelServer, truncated, whole } from './model-server.ts';
import { condition } from '../function-state.ts';
import { startPlatform, type Platform } from './platform.ts';
import type { Answer } from './request.ts';

type Spec = ModelFunctionManifest['spec'];

interface Case {
  readonly name: string;
  readonly spec: Spec;
  readonly reason: string;
  readonly message: RegExp;
  /** Only a change by the user can help. */
  readonly stalled: boolean;
  /** Puts right what was wrong; undefined where the manifest has to change. */
  readonly repair?: () => void;
  readonly corrected?: Spec;
}

const WRONG_DIGEST = '0'.repeat(64);

const models = await ModelServer.start();
const refusing = await closedPort();
models.serve('/truncated.onnx', truncated(DIGITS.model));
models.serve('/page.onnx', whole(Buffer.from('<!doctype html><title>Sign in</title>')));
models.serve('/digits.onnx', whole(DIGITS.model));
models.hold('/hanging.onnx');
const uri = models.url('/digits.onnx');

const CASES: readonly Case[] = [
  {
    name: 'missing-file',
    spec: { model: { uri: 'file:///nowhere/model.onnx' } },
    reason: 'ModelNotFound',
    message: /The model at file:\/\/\/nowhere\/model\.onnx does not exist/,
    stalled: true,
    corrected: { model: { uri: DIGITS.uri } },
  },
  {
    name: 'missing',
    spec: { model: { uri: models.url('/missing.onnx') } },
    reason: 'ModelNotFound',
    message: /There is no model at http:\S+\/missing\.onnx: the server answered 404/,
    stalled: true,
    repair: () => models.serve('/missing.onnx', whole(DIGITS.model)),
  },
  {
    name: 'refusing',
    spec: { model: { uri: `http://127.0.0.1:${refusing}/model.onnx` } },
    reason: 'ModelFetchFailed',
    message: /could not be fetched: the connection was refused \(4 attempts\)/,
    stalled: false,
    corrected: { model: { uri } },
  },
  {
    name: 'hanging',
    spec: { model: { uri: models.url('/hanging.onnx') }, scaling: { startTimeoutSeconds: 2 } },
    reason: 'StartTimeout',
    message: /The pod was not ready within 2 s/,
    stalled: false,
    corrected: { model: { uri }, scaling: { startTimeoutSeconds: 60 } },
  },
  {
    name: 'truncated',
    spec: { model: { uri: models.url('/truncated.onnx') } },
    reason: 'ModelFetchFailed',
    message: /could not be fetched: .* \(4 attempts\)/,
    stalled: false,
    repair: () => models.serve('/truncated.onnx', whole(DIGITS.model)),
  },
  {
    name: 'page',
    spec: { model: { uri: models.url('/page.onnx') } },
    reason: 'ModelInvalid',
    message: /ONNX Runtime cannot load the model at http:\S+\/page\.onnx/,
    stalled: true,
    repair: () => models.serve('/page.onnx', whole(DIGITS.model)),
  },
  {
    name: 'other-digest',
    spec: { model: { uri, sha256: WRONG_DIGEST } },
    reason: 'ModelDigestMismatch',
    message: /has the SHA-256 [0-9a-f]{64}, but sha256 pins 0{64}/,
    stalled: true,
    corrected: { model: { uri } },
  },
  {
    name: 'no-provider',
    spec: { model: { uri }, runtime: { executionProviders: ['CUDA'] } },
    reason: 'ExecutionProviderUnavailable',
    message: /None of the execution providers works on this machine \(CUDA: .*\)\. Add CPU/,
    stalled: true,
    corrected: { model: { uri }, runtime: { executionProviders: ['CUDA', 'CPU'] } },
  },
];

interface Story {
  /** To the request that was held from the beginning. */
  readonly held: Answer;
  readonly failed: ModelFunction;
  readonly repaired: Answer;
}

let platform: Platform;
let stories: ReadonlyMap<string, Promise<Story>>;

async function tell({ name, spec, repair, corrected }: Case): Promise<Story> {
  await platform.apply(name, spec);
  await platform.untilRouted(name);
  const held = await platform.infer(name, DIGITS.request);
  const failed = await platform.untilFunction(name, 'has failed', (fn) => condition(fn, 'Ready')?.status === 'False');
  repair?.();
  if (corrected !== undefined) await platform.apply(name, corrected);
  await platform.untilReady(name);
  return { held, failed, repaired: await platform.infer(name, DIGITS.request) };
}

beforeAll(async () => {
  platform = await startPlatform();
  // All at once, for most of the time they wait before they try again.
  stories = new Map(CASES.map((each) => [each.name, tell(each)]));
  await Promise.allSettled(stories.values());
}, 60_000);
afterAll(async () => {
  await platform.close();
  await models.close();
});

describe.each(CASES)('$name', ({ name, reason, message, stalled }) => {
  test('the function says why it is not ready', async () => {
    const { failed } = await stories.get(name)!;
    expect(condition(failed, 'Ready')).toMatchObject({ reason, message: expect.stringMatching(message) });
    expect(failed.status?.conditions?.some(({ type }) => type === 'Stalled')).toBe(stalled);
  });

  test('a request that was held is told why', async () => {
    const { held } = await stories.get(name)!;
    expect({ status: held.status, code: held.json['code'] }).toEqual({ status: 503, code: 'revision-failed' });
    expect(held.json['error']).toMatch(reason);
    expect(held.json['error']).toMatch(message);
    expect(held.headers['retry-after']).toBe('1');
  });

  test('once it is put right, the function becomes ready and answers', async () => {
    const { repaired } = await stories.get(name)!;
    expect(repaired.status).toBe(200);
  });
});

test('a provider that this machine lacks falls back to the next, and the revision says so', async () => {
  const revision = await platform.until('the revision is ready', MODEL_REVISIONS, (all) =>
    all.find(({ metadata, status }) => metadata.name === 'no-provider-00002' && isTrue(status?.conditions, 'Ready')),
  );
  expect(revision.status?.executionProviders).toEqual(['CPU']);
});
