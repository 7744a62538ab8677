/**
 * Both secrets of the control Secret are replaced under traffic, as docs/how-to/rotate-secrets.md says, and no request notices. It waits for what takes
 * minutes on purpose: operators read the Secret each minute, and a new key signs 90 s after that.
 */
import { afterAll, beforeAll, beforeEach, expect, jest, test } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { COMPONENTS, LABELS, MANAGER } from '../../common/api/names.ts';
import { SECRETS, type Secret } from '../../operator/cluster/resources.ts';
import { parseControlSecret, ROTATE_ANNOTATION } from '../../operator/credentials/control-secret-data.ts';
import { signingKeyId } from '../../operator/pods/pod-tokens.ts';
import { DIGITS } from '../local/examples.ts';
import { GATEWAY, SYSTEM_NAMESPACE } from './support/installation.ts';
import { kubectl } from './support/kubectl.ts';
import { modelFunction } from './support/manifests.ts';
import { ObjectWatch } from './support/object-watch.ts';
import { expectNothingLost, prepareFunctions, startTraffic, type Traffic } from './support/steady-traffic.ts';
import { startSuite, type Suite } from './support/suite.ts';

jest.setTimeout(360_000);

const SECRET = 'pilotlight-control';
/** Each replica reads at least once in this time. */
const READ_SECONDS = 75;
/** After which a key that was seen may sign, and each gateway has said that it has it. */
const SIGNS_MILLISECONDS = 95_000;

let suite: Suite;
let secrets: ObjectWatch<Secret>;
let traffic: Traffic;
beforeAll(async () => {
  suite = await startSuite('rotate-secrets');
  secrets = new ObjectWatch(SECRETS, { namespace: SYSTEM_NAMESPACE, labels: { [LABELS.managedBy]: MANAGER } });
  await secrets.synced();
  await prepareFunctions(suite);
});
beforeEach(async () => {
  traffic = await startTraffic(suite);
});
afterAll(async () => {
  await traffic.stop('after the test');
  await Promise.all([suite.close(), secrets.close()]);
});

function keys(objects: readonly Secret[]): string[] {
  const secret = objects.find(({ metadata }) => metadata.name === SECRET);
  if (secret === undefined) throw new Error(`There is no Secret ${SYSTEM_NAMESPACE}/${SECRET}.`);
  return parseControlSecret(secret).signingKeys.map(({ id }) => id);
}

const inSystem = (...args: readonly string[]): Promise<string> => kubectl([...args, '-n', SYSTEM_NAMESPACE]);

/** Every operator has read the new token, as it says itself. */
async function tokenIsRead(since: string): Promise<void> {
  const selector = `${LABELS.component}=${COMPONENTS.operator}`;
  const names = (await inSystem('get', 'pods', '-l', selector, '-o=name')).trim().split('\n');
  for (const name of names) {
    for (let second = 0; ; second += 2) {
      if ((await inSystem('logs', name, `--since-time=${since}`)).includes('Read another control token')) break;
      if (second > READ_SECONDS) throw new Error(`${name} did not read the new token within ${READ_SECONDS} s.`);
      await delay(2_000);
    }
  }
}

test('a new signing key and a new control token lose no request', async () => {
  const [former = ''] = keys(secrets.objects);
  const since = new Date().toISOString();
  const patch = {
    metadata: { annotations: { [ROTATE_ANNOTATION]: since } },
    stringData: { token: randomBytes(32).toString('hex') },
  };
  await inSystem('patch', 'secret', SECRET, '-p', JSON.stringify(patch));
  const next = await secrets.until(
    'a new key is in front of the former one',
    (objects) => {
      const [first = '', second] = keys(objects);
      return second === former ? first : undefined;
    },
    READ_SECONDS,
    // Its text is secret.
    () => false,
  );
  const signsAt = Date.now() + SIGNS_MILLISECONDS;
  await tokenIsRead(since);

  await inSystem('rollout', 'restart', `deployment/${GATEWAY}`);
  await Promise.all([
    kubectl(['rollout', 'status', '-n', SYSTEM_NAMESPACE, `deployment/${GATEWAY}`, '--timeout=120s'], {
      timeoutSeconds: 130,
    }),
    traffic.wake(1_000),
  ]);
  await traffic.pass(50);

  await delay(Math.max(0, signsAt - Date.now()));
  await suite.apply(modelFunction('late', { scaling: { minReplicas: 1 } }));
  await suite.untilReady('late');
  expect(suite.podsOf('late').map(signingKeyId)).toEqual([next]);
  expect((await suite.infer('late', DIGITS.request)).status).toBe(200);
  expect(suite.podsOf('short').map(signingKeyId)).toContain(former);
  expect(keys(secrets.objects)).toContain(former);
  expectNothingLost(await traffic.stop('new key and new control token'));
});
