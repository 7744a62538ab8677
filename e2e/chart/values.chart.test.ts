/** What the chart can be told, what it refuses, and that all of it arrives. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { load } from 'js-yaml';
import { GATEWAY_DEFAULTS, GATEWAY_ENVIRONMENT } from '../../gateway/configuration.ts';
import { OPERATOR_ENVIRONMENT } from '../../operator/configuration.ts';
import { CHART, render, type Values } from './support/chart.ts';
import { container, deployment, environment, find } from './support/workloads.ts';

/** Variables that the chart does not set, and why. */
const LEFT_OUT: Record<string, string> = {
  PILOTLIGHT_HOST: 'a pod listens on all of its addresses',
  PILOTLIGHT_HTTP_PORT: 'Services and NetworkPolicies know the port',
  PILOTLIGHT_EXTERNAL_PORT: 'Services and NetworkPolicies know the port',
  PILOTLIGHT_CONTROL_PORT: 'NetworkPolicies know the port',
  PILOTLIGHT_METRICS_PORT: 'monitoring knows the port',
  KUBECONFIG: 'the operator shows its own account',
};

describe('refused, with the key by name', () => {
  test.each<[string, Values, RegExp]>([
    ['an unknown key', { gatway: {} }, /'gatway' not allowed/],
    ['one below another', { gateway: { replica: 3 } }, /'\/gateway': additional properties 'replica' not allowed/],
    ['one of a list', { imagePullSecrets: [{ nme: 'x' }] }, /imagePullSecrets\/0.*'name'/s],
    ['a number out of bounds', { gateway: { drainSeconds: -1 } }, /gateway\/drainSeconds.*minimum/s],
    ['a word for another', { operator: { logLevel: 'verbose' } }, /operator\/logLevel.*'trace', 'debug'/s],
    ['a number for a text', { clusterDomain: 7 }, /clusterDomain.*want string/s],
    [
      'a variable of its own',
      { gateway: { extraEnv: [{ name: 'PILOTLIGHT_DOMAIN', value: 'x' }] } },
      /extraEnv\/0\/name/,
    ],
    [
      'a number as a variable',
      { gateway: { extraEnv: [{ name: 'X', value: 1 }] } },
      /extraEnv\/0\/value.*want string/s,
    ],
    ['a digest that is none', { image: { digest: 'latest' } }, /image\/digest/],
    ['a selector as a label', { commonLabels: { 'app.kubernetes.io/name': 'x' } }, /app\.kubernetes\.io\/name/],
    ['a route without a Gateway', { gateway: { httpRoute: { enabled: true } } }, /httpRoute\/parentRefs.*want 1/s],
    ['a quantity that is none', { gateway: { resources: { limits: { cpu: 'two' } } } }, /resources\/limits\/cpu/],
    [
      'nothing where there are keys',
      { operator: { networkPolicy: null } },
      /operator.*missing property 'networkPolicy'/,
    ],
    ['no value for one', { gateway: { maxBodyBytes: null } }, /gateway.*missing property 'maxBodyBytes'/],
    ['minAvailable beside maxUnavailable', { gateway: { podDisruptionBudget: { minAvailable: 1 } } }, /'minAvailable'/],
  ])('%s', (_what, values, message) => {
    expect(() => render(values)).toThrow(message);
  });
});

test('no object of values takes keys that nobody reads', () => {
  const open: string[] = [];
  const visit = (schema: Schema, path: string): void => {
    if (schema.properties !== undefined && schema.additionalProperties !== false) open.push(path);
    for (const [name, property] of Object.entries(schema.properties ?? {})) visit(property, `${path}.${name}`);
  };
  visit(JSON.parse(readFileSync(join(CHART, 'values.schema.json'), 'utf8')) as Schema, '');
  expect(open).toEqual([]);
});

test('values.yaml says what happens without it', () => {
  const defaults = load(readFileSync(join(CHART, 'values.yaml'), 'utf8')) as {
    gateway: Record<string, unknown>;
    clusterDomain: string;
  };
  expect(defaults.gateway).toMatchObject({
    domain: GATEWAY_DEFAULTS.domains.domain,
    maxBodyBytes: GATEWAY_DEFAULTS.maxBodyBytes,
    maxConnections: GATEWAY_DEFAULTS.maxConnections,
    ...GATEWAY_DEFAULTS.holding,
    drainSeconds: GATEWAY_DEFAULTS.drainMilliseconds / 1000,
    finishSeconds: GATEWAY_DEFAULTS.finishMilliseconds / 1000,
  });
  expect(defaults.clusterDomain).toBe(GATEWAY_DEFAULTS.domains.clusterDomain);
});

describe('environment', () => {
  const full = render('full');

  test.each([
    ['operator', OPERATOR_ENVIRONMENT],
    ['gateway', GATEWAY_ENVIRONMENT],
  ] as const)('of the %s: every variable that it reads, and no other', (component, variables) => {
    const given = Object.keys(environment(deployment(full, component))).filter((name) =>
      name.startsWith('PILOTLIGHT_'),
    );
    const wanted = Object.values(variables).filter((name) => LEFT_OUT[name] === undefined);
    expect(given.sort()).toEqual(wanted.sort());
  });

  test('of the operator as told', () => {
    const registry = 'registry.example.com:5000/models';
    expect(environment(deployment(full, 'operator'))).toMatchObject({
      PILOTLIGHT_CONTROL_SECRET: 'own-control',
      PILOTLIGHT_GATEWAY_SERVICE: 'pilotlight-gateway',
      PILOTLIGHT_CLUSTER_DOMAIN: 'cluster.example',
      PILOTLIGHT_LOG_LEVEL: 'debug',
      PILOTLIGHT_RUNTIME_IMAGE: `${registry}/pilotlight-runtime@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08`,
      PILOTLIGHT_CUDA_RUNTIME_IMAGE: `${registry}/pilotlight-runtime:v1.2.3-cuda`,
      PILOTLIGHT_RUNTIME_IMAGE_PULL_POLICY: 'Always',
      PILOTLIGHT_RUNTIME_IMAGE_PULL_SECRETS: 'registry,other',
      PILOTLIGHT_RUNTIME_LOG_LEVEL: 'error',
      PILOTLIGHT_RUNTIME_SAFE_TO_EVICT: 'false',
      PILOTLIGHT_RUNTIME_READ_ONLY_ROOT_FILESYSTEM: 'true',
      PILOTLIGHT_RUNTIME_BUDGETS: 'nvidia.com/gpu=8,research:nvidia.com/gpu=2',
      PILOTLIGHT_NETWORK_POLICIES: 'true',
      HTTPS_PROXY: 'http://proxy.example.com:3128',
    });
  });

  test('of the gateway as told, large numbers without an exponent', () => {
    expect(environment(deployment(full, 'gateway'))).toMatchObject({
      PILOTLIGHT_DOMAIN: 'models.example.com',
      PILOTLIGHT_CLUSTER_DOMAIN: 'cluster.example',
      PILOTLIGHT_MAX_BODY_BYTES: '134217728',
      PILOTLIGHT_MAX_CONNECTIONS: '20000',
      PILOTLIGHT_DRAIN_SECONDS: '15',
      PILOTLIGHT_FINISH_SECONDS: '120',
      PILOTLIGHT_LOG_LEVEL: 'warn',
      NODE_OPTIONS: '--max-old-space-size=700',
    });
  });
});

test('lists and maps of Kubernetes may be nothing', () => {
  const nothing = { tolerations: null, nodeSelector: null, affinity: null, podLabels: null, resources: null };
  const manifests = render({ commonLabels: null, imagePullSecrets: null, operator: nothing, gateway: nothing });
  expect(deployment(manifests, 'gateway').spec.template.spec).not.toHaveProperty('nodeSelector');
});

test('names that look like numbers stay names', () => {
  const manifests = render({ clusterDomain: '1.2', controlSecretName: '007', gateway: { priorityClassName: '1e3' } });
  const gateway = deployment(manifests, 'gateway');
  expect(environment(gateway)).toMatchObject({
    PILOTLIGHT_CLUSTER_DOMAIN: '1.2',
    PILOTLIGHT_CONTROL_TOKEN: { secretKeyRef: { name: '007' } },
  });
  expect(gateway.spec.template.spec['priorityClassName']).toBe('1e3');
});

describe('images', () => {
  test.each<[string, Values, string, string]>([
    ['by default', {}, 'localhost/pilotlight-operator:0.1.0', 'localhost/pilotlight-runtime:0.1.0'],
    [
      'one registry and tag for all',
      { image: { registry: 'r.example/', tag: 'v2' } },
      'r.example/pilotlight-operator:v2',
      'r.example/pilotlight-runtime:v2',
    ],
    [
      'each its own',
      { image: { tag: 'v2' }, runtime: { image: { registry: 'other', repository: 'x/y', tag: 'v3' } } },
      'localhost/pilotlight-operator:v2',
      'other/x/y:v3',
    ],
    ['of no registry', { image: { registry: '' } }, 'pilotlight-operator:0.1.0', 'pilotlight-runtime:0.1.0'],
  ])('%s', (_what, values, own, runtime) => {
    const manifests = render(values);
    const operator = deployment(manifests, 'operator');
    expect(container(operator).image).toBe(own);
    expect(container(deployment(manifests, 'gateway')).image).toBe(own);
    const { PILOTLIGHT_RUNTIME_IMAGE, PILOTLIGHT_CUDA_RUNTIME_IMAGE } = environment(operator);
    expect([PILOTLIGHT_RUNTIME_IMAGE, PILOTLIGHT_CUDA_RUNTIME_IMAGE]).toEqual([runtime, undefined]);
  });
});

describe('from outside', () => {
  test('an Ingress leads to the external Service, by its hosts', () => {
    expect(find(render('full'), 'Ingress', 'pilotlight-gateway')['spec']).toEqual({
      ingressClassName: 'nginx',
      tls: [{ secretName: 'tls', hosts: ['models.example.com'] }],
      rules: ['*.default.models.example.com', 'models.example.com'].map((host) => ({ host, http: toExternal })),
    });
    const anyHost = render({ gateway: { ingress: { enabled: true } } });
    expect(find(anyHost, 'Ingress', 'pilotlight-gateway')['spec']).toEqual({ rules: [{ http: toExternal }] });
  });

  test('an HTTPRoute leads there too, by the domain', () => {
    expect(find(render('full'), 'HTTPRoute', 'pilotlight-gateway')).toMatchObject({
      apiVersion: 'gateway.networking.k8s.io/v1',
      spec: {
        parentRefs: [{ name: 'public', namespace: 'gateways' }],
        hostnames: ['*.models.example.com'],
        rules: [
          {
            matches: [{ path: { type: 'PathPrefix', value: '/' } }],
            timeouts: { request: '0s' },
            backendRefs: [{ name: 'pilotlight-gateway-external', port: 80 }],
          },
        ],
      },
    });
  });

  test('an HTTPRoute without a domain takes every host of its Gateway', () => {
    const parentRefs = [{ name: 'public' }];
    const route = find(
      render({ gateway: { httpRoute: { enabled: true, parentRefs } } }),
      'HTTPRoute',
      'pilotlight-gateway',
    );
    expect(route['spec']).not.toHaveProperty('hostnames');
  });

  const toExternal = {
    paths: [
      {
        path: '/',
        pathType: 'Prefix',
        backend: { service: { name: 'pilotlight-gateway-external', port: { name: 'http' } } },
      },
    ],
  };
});

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: unknown;
}
