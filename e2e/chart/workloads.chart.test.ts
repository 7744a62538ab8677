/** The Deployments: what an upgrade, a drain and the loss of a node do to them. */
import { describe, expect, test } from '@jest/globals';
import { render } from './support/chart.ts';
import { container, deployment, find } from './support/workloads.ts';

const COMPONENTS = ['operator', 'gateway'] as const;
const manifests = render();
const full = render('full');

describe.each(COMPONENTS)('%s', (component) => {
  // Written out: a Deployment's selector cannot be changed, so whoever changes this breaks every upgrade.
  test('selects by the same labels for ever, whatever the values', () => {
    for (const rendered of [manifests, full]) {
      expect(deployment(rendered, component).spec.selector.matchLabels).toEqual({
        'app.kubernetes.io/name': 'pilotlight',
        'app.kubernetes.io/instance': 'pilotlight',
        'app.kubernetes.io/component': component,
      });
    }
  });

  test('replaces no pod for a new version of the chart alone', () => {
    const { metadata, spec } = deployment(manifests, component);
    expect(metadata.labels).toHaveProperty(['helm.sh/chart']);
    expect(spec.template.metadata.labels).not.toHaveProperty(['helm.sh/chart']);
  });

  test('has a new pod ready before an old one goes', () => {
    expect(deployment(manifests, component).spec).toMatchObject({
      replicas: 2,
      strategy: { rollingUpdate: { maxUnavailable: 0 } },
    });
  });

  test('loses one pod at a time to drains, whatever its replicas', () => {
    expect(find(manifests, 'PodDisruptionBudget', `pilotlight-${component}`)['spec']).toEqual({
      maxUnavailable: 1,
      unhealthyPodEvictionPolicy: 'AlwaysAllow',
      selector: deployment(manifests, component).spec.selector,
    });
  });

  test('spreads the replicas of one version over nodes and zones', () => {
    const { spec } = deployment(manifests, component);
    expect(spec.template.spec['topologySpreadConstraints']).toEqual(
      ['kubernetes.io/hostname', 'topology.kubernetes.io/zone'].map((topologyKey) => ({
        topologyKey,
        maxSkew: 1,
        whenUnsatisfiable: 'ScheduleAnyway',
        labelSelector: spec.selector,
        matchLabelKeys: ['pod-template-hash'],
      })),
    );
  });

  test('leaves a lost node after 30 s', () => {
    expect(deployment(manifests, component).spec.template.spec['tolerations']).toEqual(
      ['not-ready', 'unreachable'].map((taint) => ({
        key: `node.kubernetes.io/${taint}`,
        operator: 'Exists',
        effect: 'NoExecute',
        tolerationSeconds: 30,
      })),
    );
  });

  test('answers the kubelet on the port of the metrics', () => {
    expect(container(deployment(manifests, component))).toMatchObject({
      livenessProbe: { httpGet: { path: '/healthz', port: 'metrics' } },
      readinessProbe: { httpGet: { path: '/readyz', port: 'metrics' } },
    });
  });

  test('requests what it needs, and no CPU limit stalls it', () => {
    const { requests, limits } = container(deployment(manifests, component)).resources ?? {};
    expect(Object.keys(requests ?? {}).sort()).toEqual(['cpu', 'memory']);
    expect(limits).toBeUndefined();
  });

  test('is closed: no root, no writable file, no privilege', () => {
    const { spec } = deployment(manifests, component).spec.template;
    expect(spec['securityContext']).toEqual({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
    expect(container(deployment(manifests, component))['securityContext']).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
  });
});

describe('as told', () => {
  test('an own toleration takes the place of the same one, and an own selector is kept', () => {
    const { spec } = deployment(full, 'gateway').spec.template;
    expect(spec['tolerations']).toEqual([
      { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 5 },
      { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 30 },
    ]);
    expect(spec['topologySpreadConstraints']).toEqual([
      {
        topologyKey: 'example.com/rack',
        maxSkew: 2,
        whenUnsatisfiable: 'DoNotSchedule',
        labelSelector: { matchLabels: { 'example.com/tier': 'data' } },
      },
    ]);
  });

  test('pods carry labels, annotations, a priority and secrets for the registry', () => {
    const { metadata, spec } = deployment(full, 'operator').spec.template;
    expect(metadata).toMatchObject({
      labels: { team: 'inference', 'example.com/tier': 'control' },
      annotations: { 'example.com/note': 'operator' },
    });
    expect(spec).toMatchObject({
      serviceAccountName: 'op',
      priorityClassName: 'system-cluster-critical',
      imagePullSecrets: [{ name: 'registry' }],
      nodeSelector: { 'node-role.kubernetes.io/control-plane': '' },
    });
  });

  test('who tolerates everything gets no limit', () => {
    const tolerations = [{ operator: 'Exists' }];
    const { spec } = deployment(render({ operator: { tolerations } }), 'operator').spec.template;
    expect(spec['tolerations']).toEqual(tolerations);
  });

  test('a label of the pods wins over one of all', () => {
    const rendered = render({ commonLabels: { team: 'a', tier: 'b' }, gateway: { podLabels: { team: 'c' } } });
    const gateway = deployment(rendered, 'gateway');
    expect(gateway.metadata.labels).toMatchObject({ team: 'a', tier: 'b' });
    expect(gateway.spec.template.metadata.labels).toMatchObject({ team: 'c', tier: 'b' });
  });

  test('with autoscaling nobody but the autoscaler says how many gateways', () => {
    expect(deployment(full, 'gateway').spec).not.toHaveProperty('replicas');
    expect(find(full, 'HorizontalPodAutoscaler', 'pilotlight-gateway')['spec']).toEqual({
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'pilotlight-gateway' },
      minReplicas: 2,
      maxReplicas: 20,
      metrics: [
        { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 70 } } },
      ],
      behavior: { scaleDown: { stabilizationWindowSeconds: 600 } },
    });
  });

  test('an account that others made is used', () => {
    const small = render('small');
    expect(small.filter(({ kind }) => /ServiceAccount|Role/.test(kind))).toEqual([]);
    expect(deployment(small, 'operator').spec.template.spec['serviceAccountName']).toBe('given');
    expect(deployment(small, 'gateway').spec.template.spec['serviceAccountName']).toBe('default');
  });
});

test('the kubelet waits for a gateway to drain and finish, and 10 s more', () => {
  expect(deployment(manifests, 'gateway').spec.template.spec.terminationGracePeriodSeconds).toBe(5 + 60 + 10);
  expect(deployment(full, 'gateway').spec.template.spec.terminationGracePeriodSeconds).toBe(15 + 120 + 10);
});

describe('custom resource definitions', () => {
  const definitions = (values: object): [string, unknown][] =>
    render({ ...values })
      .filter(({ kind }) => kind === 'CustomResourceDefinition')
      .map(({ metadata }) => [metadata.name, metadata.annotations]);
  const names = ['modelfunctions.pilotlight.dev', 'modelrevisions.pilotlight.dev'];

  test('come with the chart, and stay when it goes', () => {
    expect(definitions({})).toEqual(names.map((name) => [name, { 'helm.sh/resource-policy': 'keep' }]));
  });

  test('go with it, or are left to others, where the values say so', () => {
    expect(definitions({ crds: { keep: false } })).toEqual(names.map((name) => [name, undefined]));
    expect(definitions({ crds: { enabled: false } })).toEqual([]);
  });
});
