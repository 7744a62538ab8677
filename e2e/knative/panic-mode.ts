/** Whether the autoscaler is in panic mode about a function, which only the metrics of the leading operator tell. */
import { setTimeout as delay } from 'node:timers/promises';
import { COMPONENTS, LABELS } from '../../common/api/names.ts';
import { PODS } from '../../operator/cluster/resources.ts';
import type { ApiProxy } from '../cluster/support/api-proxy.ts';
import { SYSTEM_NAMESPACE } from '../cluster/support/installation.ts';
import { PATIENCE_SECONDS } from '../cluster/support/object-watch.ts';
import { listObjects } from '../cluster/support/objects.ts';

const METRICS_PORT = 9090;
const LOOK_MILLISECONDS = 500;

/** A panic lasts for a stable window at least, 6 s, and so is not overlooked. */
export async function untilPanicMode(api: ApiProxy, namespace: string, name: string, panic: boolean): Promise<void> {
  const scope = { namespace: SYSTEM_NAMESPACE, labels: { [LABELS.component]: COMPONENTS.operator } };
  const line = new RegExp(
    `^pilotlight_panic_mode\\{namespace="${namespace}",function="${name}",[^}]*\\} ${panic ? 1 : 0}$`,
    'm',
  );
  const deadline = Date.now() + PATIENCE_SECONDS * 1000;
  while (Date.now() < deadline) {
    for (const { metadata } of (await listObjects(PODS, scope)).objects) {
      // One that ends or begins has nothing to say.
      const metrics = await api.get(SYSTEM_NAMESPACE, metadata.name, METRICS_PORT, '/metrics').catch(() => '');
      if (line.test(metrics)) return;
    }
    await delay(LOOK_MILLISECONDS);
  }
  throw new Error(`Waited ${PATIENCE_SECONDS} s in vain until ${name} is ${panic ? '' : 'not '}in panic mode.`);
}
