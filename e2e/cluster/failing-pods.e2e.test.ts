import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { ModelFunction, ModelFunctionManifest } from '../../common/api/kinds.ts';
import { LABELS } from '../../common/api/names.ts';
import { ATTEMPT_ANNOTATION } from '../../operator/pods/pod-state.ts';
import { DIGITS } from '../local/examples.ts';
import type { Answer } from './support/client.ts';
import { condition } from '../function-state.ts';
import { deployment, OPERATOR } from './support/installation.ts';
import { DIGITS_URI, modelFunction } from './support/manifests.ts';
import { applyObjects } from './support/objects.ts';
import { startSuite, type Suite } from './support/suite.ts';

jest.setTimeout(300_000);

/** One that runs out of memory does so twelve times before it is given up, and all fail at once on few processors. */
const FAILS_WITHIN_SECONDS = 180;

type Spec = Partial<ModelFunctionManifest['spec']>;

interface Case {
  readonly name: string;
  readonly reason: string;
  readonly message: RegExp;
  readonly spec: Spec;
  /** Unknown while it may yet go well; Stalled if only a change by the user can help. */
  readonly verdict: 'Stalled' | 'False' | 'Unknown';
  /** Another spec, or what is made good in the cluster. */
  readonly corrected?: Spec;
  readonly repair?: () => Promise<unknown>;
}

let suite: Suite;

const MODEL = { model: { uri: DIGITS_URI } };
const PAGE = Buffer.from('<!doctype html><title>Sign in</title>');

function cases(exitingImage: string, pageUri: string): readonly Case[] {
  return [
    {
      name: 'bad-image',
      reason: 'ImagePullFailed',
      message: /Image localhost\/pilotlight-e2e\/nothing:none: .*nothing/s,
      spec: { runtime: { image: 'localhost/pilotlight-e2e/nothing:none' } },
      verdict: 'Stalled',
      corrected: {},
    },
    {
      name: 'exit-at-start',
      reason: 'Exited',
      message: /The process ended with exit code 1.*failed starts in a row/s,
      spec: { runtime: { image: exitingImage } },
      verdict: 'False',
      corrected: {},
    },
    {
      name: 'no-model',
      reason: 'ModelInvalid',
      message: /ONNX Runtime cannot load the model at http:\S+\/page\.onnx/,
      spec: { model: { uri: pageUri } },
      verdict: 'Stalled',
      repair: () => suite.client.serveModel('/page.onnx', DIGITS.model),
    },
    {
      name: 'missing-model',
      reason: 'ModelNotFound',
      message: /The model at file:\/nowhere\/model\.onnx does not exist/,
      spec: { model: { uri: 'file:/nowhere/model.onnx' } },
      verdict: 'Stalled',
      corrected: MODEL,
    },
    {
      name: 'bad-digest',
      reason: 'ModelDigestMismatch',
      message: /has the SHA-256 [0-9a-f]{64}, but sha256 pins 0{64}/,
      spec: { model: { uri: DIGITS_URI, sha256: '0'.repeat(64) } },
      verdict: 'Stalled',
      corrected: MODEL,
    },
    {
      name: 'missing-secret',
      reason: 'ContainerNotCreated',
      message: /secret "late" not found/,
      spec: { runtime: { env: [{ name: 'LATE', valueFrom: { secretKeyRef: { name: 'late', key: 'key' } } }] } },
      verdict: 'Stalled',
      repair: () =>
        applyObjects({
          apiVersion: 'v1',
          kind: 'Secret',
          metadata: { namespace: suite.namespace, name: 'late' },
          stringData: { key: 'value' },
        }),
    },
    {
      name: 'no-service-account',
      reason: 'PodRefused',
      message: /serviceaccount "late" not found/,
      spec: { pod: { serviceAccountName: 'late' } },
      verdict: 'False',
      repair: () =>
        applyObjects({
          apiVersion: 'v1',
          kind: 'ServiceAccount',
          metadata: { namespace: suite.namespace, name: 'late' },
        }),
    },
    {
      name: 'out-of-memory',
      reason: 'OutOfMemory',
      message: /above its memory limit; raise resources\.limits\.memory/,
      spec: { resources: { requests: { cpu: '10m', memory: '30Mi' }, limits: { memory: '30Mi' } } },
      verdict: 'False',
      corrected: { resources: { requests: { cpu: '10m', memory: '64Mi' }, limits: { memory: '512Mi' } } },
    },
    {
      name: 'no-node',
      reason: 'Unschedulable',
      message: /0\/\d+ nodes are available: .*Insufficient cpu/,
      // Its request is held, for a node may come; so not for long.
      spec: { resources: { requests: { cpu: '1000' } }, queue: { timeoutSeconds: 1 } },
      verdict: 'Unknown',
      corrected: { resources: { requests: { cpu: '10m' } } },
    },
  ];
}

const NAMES = cases('', '').map(({ name }) => name);

interface Story {
  readonly case: Case;
  readonly failed: ModelFunction;
  /** Seconds from `kubectl apply` until the function said why. */
  readonly seconds: number;
  /** To the request that was sent then. */
  readonly refused: Answer;
  readonly repaired: Answer;
}

function verdict(fn: ModelFunction): string | undefined {
  return condition(fn, 'Stalled')?.status === 'True' ? 'Stalled' : condition(fn, 'Ready')?.status;
}

let stories: ReadonlyMap<string, Promise<Story>>;

async function tell(each: Case): Promise<Story> {
  const { name, spec, corrected, repair } = each;
  const appliedAt = Date.now();
  await suite.apply(modelFunction(name, spec));
  const failed = await suite.untilFunction(
    name,
    `fails of ${each.reason}`,
    (fn) => {
      const ready = condition(fn, 'Ready');
      return ready?.reason === each.reason && each.message.test(ready.message) && verdict(fn) === each.verdict;
    },
    FAILS_WITHIN_SECONDS,
  );
  const seconds = (Date.now() - appliedAt) / 1000;
  const refused = await suite.infer(name, DIGITS.request);
  await repair?.();
  if (corrected !== undefined) await suite.apply(modelFunction(name, corrected));
  await suite.untilReady(name);
  return { case: each, failed, seconds, refused, repaired: await suite.infer(name, DIGITS.request) };
}

beforeAll(async () => {
  suite = await startSuite('failing-pods');
  const { containers } = (await deployment(OPERATOR)).spec.template.spec;
  const pageUri = await suite.client.serveModel('/page.onnx', PAGE);
  await suite.apply(modelFunction('crash-loop', { runtime: { image: containers[0]?.image ?? '' } }));
  // All at once, for most of the time they wait before they try again.
  stories = new Map(cases(containers[0]?.image ?? '', pageUri).map((each) => [each.name, tell(each)]));
  await Promise.allSettled(stories.values());
});
afterAll(() => suite.close());

describe.each(NAMES)('%s', (name) => {
  test('the function says why it is not ready', async () => {
    const { case: each, failed, seconds } = await stories.get(name)!;
    process.stdout.write(`${name} was told after ${seconds.toFixed(1)} s.\n`);
    expect({ reason: condition(failed, 'Ready')?.reason, verdict: verdict(failed) }).toEqual({
      reason: each.reason,
      verdict: each.verdict,
    });
    expect(condition(failed, 'Ready')?.message).toMatch(each.message);
  });

  test('a caller is told why', async () => {
    const { case: each, refused } = await stories.get(name)!;
    const code = each.verdict === 'Unknown' ? 'no-pod-in-time' : 'revision-failed';
    expect({ status: refused.status, code: refused.json['code'] }).toEqual({ status: 503, code });
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    if (code === 'revision-failed') expect(refused.json['error']).toMatch(each.reason);
  });

  test('once it is put right, it answers', async () => {
    expect((await stories.get(name)!).repaired.status).toBe(200);
  });
});

/** Failures in a row after which the next pod waits for 4 s. */
const FAILURES = 4;

test('a revision whose pods end at their start is tried less and less often', async () => {
  const failedAt = new Map<number, number>();
  const madeAt = new Map<number, number>();
  await suite.pods.until(`${FAILURES} pods of crash-loop failed and there is another`, () => {
    for (const { object, at } of suite.pods.history) {
      if (object.metadata.labels?.[LABELS.function] !== 'crash-loop') continue;
      const failuresBefore = Number(object.metadata.annotations?.[ATTEMPT_ANNOTATION] ?? 0);
      if (!madeAt.has(failuresBefore)) madeAt.set(failuresBefore, at);
      const ended = object.status?.containerStatuses?.[0]?.state?.terminated !== undefined;
      if (ended && !failedAt.has(failuresBefore + 1)) failedAt.set(failuresBefore + 1, at);
    }
    return madeAt.has(FAILURES) ? true : undefined;
  });
  const pauses = Array.from({ length: FAILURES }, (_, at) => (madeAt.get(at + 1)! - failedAt.get(at + 1)!) / 1000);
  process.stdout.write(
    `Seconds from each failure to the next pod: ${pauses.map((pause) => pause.toFixed(1)).join(', ')}.\n`,
  );
  // The first at once, the second after 1 s, then twice as long each time; a watch may tell half a second late.
  const [, second = 0, third = 0, fourth = 0] = pauses;
  expect(second).toBeGreaterThan(1 - 0.5);
  expect(third).toBeGreaterThan(2 - 0.5);
  expect(fourth).toBeGreaterThan(4 - 0.5);
});
