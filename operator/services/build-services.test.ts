import { expect, test } from '@jest/globals';
import { modelFunction } from '../controllers/object-fixtures.ts';
import { buildServices, functionOfService } from './build-services.ts';

const HOST = 'pilotlight-gateway.pilotlight-system.svc.cluster.local';

test('the function’s name leads to the gateways, and goes with the function', () => {
  expect(buildServices(modelFunction(), [], HOST)).toEqual([
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: {
        name: 'digits',
        namespace: 'models',
        labels: {
          'pilotlight.dev/function': 'digits',
          'app.kubernetes.io/name': 'pilotlight',
          'app.kubernetes.io/instance': 'digits',
          'app.kubernetes.io/managed-by': 'pilotlight-operator',
          'app.kubernetes.io/part-of': 'pilotlight',
        },
        ownerReferences: [
          {
            apiVersion: 'pilotlight.dev/v1alpha1',
            kind: 'ModelFunction',
            name: 'digits',
            uid: 'uid-digits',
            controller: true,
            blockOwnerDeletion: true,
          },
        ],
      },
      spec: { type: 'ExternalName', externalName: HOST, ports: [{ name: 'http', port: 80 }] },
    },
  ]);
});

test('so does the name of each tag', () => {
  const names = buildServices(modelFunction(), ['next', 'a-b'], HOST).map(({ metadata }) => metadata.name);
  expect(names).toEqual(['digits', 'next--digits', 'a-b--digits']);
  expect(names.map(functionOfService)).toEqual(['digits', 'digits', 'digits']);
});
