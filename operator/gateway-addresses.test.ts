import { expect, test } from '@jest/globals';
import type { Pod } from './cluster/resources.ts';
import { gatewayAddresses } from './gateway-addresses.ts';

function pod(status: Pod['status'], portName = 'control'): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'gateway-0', namespace: 'pilotlight-system', uid: 'u' },
    spec: {
      containers: [
        {
          name: 'gateway',
          image: 'gateway:1',
          ports: [
            { name: 'http', containerPort: 8080 },
            { name: portName, containerPort: 9091 },
          ],
        },
      ],
    },
    ...(status === undefined ? {} : { status }),
  };
}

const address = { id: 'u', host: '10.0.0.1', controlPort: 9091 };
const certain = [{ ...address, doubtful: false }];
const doubtful = [{ ...address, doubtful: true }];
const ready = (status: 'True' | 'False' | 'Unknown'): Pod['status'] => ({
  phase: 'Running',
  podIP: '10.0.0.1',
  conditions: [{ type: 'Ready', status }],
});

test.each<[string, Pod, object[]]>([
  ['that runs', pod({ phase: 'Running', podIP: '10.0.0.1' }), certain],
  ['that is ready', pod(ready('True')), certain],
  ['that is not ready', pod(ready('False')), doubtful],
  ['of whose readiness nobody knows', pod(ready('Unknown')), doubtful],
  ['that is ending', { ...pod(ready('True')), metadata: { name: 'g', uid: 'u', deletionTimestamp: 'now' } }, doubtful],
  ['that has no address yet', pod({ phase: 'Pending' }), []],
  ['of which nothing is known', pod(undefined), []],
  ['that ended', pod({ phase: 'Failed', podIP: '10.0.0.1' }), []],
  ['without a control port', pod({ phase: 'Running', podIP: '10.0.0.1' }, 'other'), []],
])('a gateway pod %s', (_name, object, want) => {
  expect(gatewayAddresses([object])).toEqual(want);
});
