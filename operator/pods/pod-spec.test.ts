import { describe, expect, test } from '@jest/globals';
import type { RevisionTemplate } from '../../common/api/kinds.ts';
import { verifyToken, type SigningKey } from '../../common/wire/tokens.ts';
import { modelRevision } from '../controllers/object-fixtures.ts';
import type { EnvironmentVariable, Pod } from '../cluster/resources.ts';
import { DEFAULT_POD_SETTINGS, type PodSettings } from './pod-settings.ts';
import { buildPod, type PodSpecOptions } from './pod-spec.ts';

const key: SigningKey = { id: 'k1', secret: 'c2VjcmV0' };

function build(template: Partial<RevisionTemplate> = {}, options: Partial<PodSpecOptions> = {}): Pod {
  return buildPod(modelRevision(1, { template }), {
    name: 'digits-00001-3',
    attempt: 0,
    timeoutSeconds: 60,
    gateways: ['10.0.0.1:9091', '10.0.0.2:9091'],
    key,
    logLevel: 'info',
    settings: DEFAULT_POD_SETTINGS,
    ...options,
  });
}

const settings = (own: Partial<PodSettings>): Partial<PodSpecOptions> => ({
  settings: { ...DEFAULT_POD_SETTINGS, ...own },
});
const container = (pod: Pod): Pod['spec']['containers'][number] => pod.spec.containers[0]!;
const variable = (pod: Pod, name: string): EnvironmentVariable | undefined =>
  container(pod).env?.find((each) => each.name === name);

describe('a pod', () => {
  test('has no volume, no token and no init container, for each would cost its start', () => {
    const { spec } = build();
    expect(spec['volumes']).toBeUndefined();
    expect(spec['initContainers']).toBeUndefined();
    expect(spec['automountServiceAccountToken']).toBe(false);
    expect(spec['enableServiceLinks']).toBe(false);
    expect(container(build())['volumeMounts']).toBeUndefined();
  });

  test('passes Pod Security restricted', () => {
    const pod = build();
    expect(pod.spec['securityContext']).toEqual({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
    expect(container(pod)['securityContext']).toEqual({
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
    });
  });

  test('belongs to its revision and says what it is part of', () => {
    const { metadata, spec } = build();
    expect(metadata).toEqual({
      name: 'digits-00001-3',
      namespace: 'models',
      labels: {
        'pilotlight.dev/function': 'digits',
        'pilotlight.dev/revision': 'digits-00001',
        'app.kubernetes.io/name': 'pilotlight',
        'app.kubernetes.io/instance': 'digits',
        'app.kubernetes.io/component': 'runtime',
        'app.kubernetes.io/managed-by': 'pilotlight-operator',
        'app.kubernetes.io/part-of': 'pilotlight',
      },
      annotations: { 'cluster-autoscaler.kubernetes.io/safe-to-evict': 'true' },
      ownerReferences: [
        {
          apiVersion: 'pilotlight.dev/v1alpha1',
          kind: 'ModelRevision',
          name: 'digits-00001',
          uid: 'uid-digits-00001',
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
    });
    expect(spec.restartPolicy).toBe('Never');
  });

  test('may take its requests’ time, and 10 s more, to end', () => {
    expect(build({}, { timeoutSeconds: 300 }).spec.terminationGracePeriodSeconds).toBe(310);
  });

  test('tells its runtime what to serve, also with a dollar in the address', () => {
    const pod = build(
      { model: { uri: 'https://models/a$(HOME)$$.onnx', sha256: 'ab' }, resources: { limits: { cpu: 2 } } },
      { timeoutSeconds: 30 },
    );
    // As the kubelet reads it.
    const value = variable(pod, 'PILOTLIGHT_RUNTIME')?.value?.replaceAll('$$', '$') ?? '';
    expect(JSON.parse(value)).toEqual({
      namespace: 'models',
      function: 'digits',
      revision: 'digits-00001',
      model: { uri: 'https://models/a$(HOME)$$.onnx', sha256: 'ab' },
      executionProviders: ['CPU'],
      instances: 1,
      intraOpThreads: 2,
      batching: { mode: 'Auto', maxBatchSize: 32, maxDelayMilliseconds: 0 },
      timeoutSeconds: 30,
    });
  });

  test('learns its uid and address from the kubelet and whom to announce itself to', () => {
    const pod = build();
    expect(variable(pod, 'PILOTLIGHT_POD_UID')?.valueFrom).toEqual({ fieldRef: { fieldPath: 'metadata.uid' } });
    expect(variable(pod, 'PILOTLIGHT_POD_HOST')?.valueFrom).toEqual({ fieldRef: { fieldPath: 'status.podIP' } });
    expect(variable(pod, 'PILOTLIGHT_POD_NAME')?.value).toBe('digits-00001-3');
    expect(variable(pod, 'PILOTLIGHT_GATEWAYS')?.value).toBe('10.0.0.1:9091,10.0.0.2:9091');
  });

  test('gets tokens that are good for itself only, one for each purpose', () => {
    const pod = build();
    const subject = { namespace: 'models', revision: 'digits-00001', pod: 'digits-00001-3' };
    const announce = variable(pod, 'PILOTLIGHT_ANNOUNCE_TOKEN')?.value ?? '';
    const drain = variable(pod, 'PILOTLIGHT_DRAIN_TOKEN')?.value ?? '';
    expect(verifyToken([key], announce, 'announce', subject)).toBe(true);
    expect(verifyToken([key], drain, 'drain', subject)).toBe(true);
    expect(verifyToken([key], announce, 'drain', subject)).toBe(false);
    expect(verifyToken([key], announce, 'announce', { ...subject, pod: 'digits-00001-4' })).toBe(false);
  });

  test('has ports by name, where the probe and the drain find them', () => {
    const { ports, ...rest } = container(build());
    expect(Object.fromEntries(ports?.map(({ name, containerPort }) => [name, containerPort]) ?? [])).toEqual({
      http: 8080,
      grpc: 8081,
      metrics: 9090,
      control: 9091,
    });
    expect(rest['readinessProbe']).toMatchObject({ httpGet: { path: '/readyz', port: 'metrics' } });
    expect(rest['terminationMessagePath']).toBe(variable(build(), 'PILOTLIGHT_TERMINATION_LOG')?.value);
  });

  test('passes on what the user set, with quantities as text', () => {
    const pod = build({
      runtime: { image: 'mine:2', env: [{ name: 'HTTPS_PROXY', value: 'http://proxy' }] },
      resources: { limits: { 'nvidia.com/gpu': 1, memory: '2Gi' }, requests: { cpu: '500m' } },
      pod: {
        nodeSelector: { gpu: 'a100' },
        affinity: { nodeAffinity: { weight: 1 } },
        runtimeClassName: 'nvidia',
        priorityClassName: 'high',
        serviceAccountName: 'models',
      },
    });
    expect(container(pod)).toMatchObject({
      image: 'mine:2',
      resources: { limits: { 'nvidia.com/gpu': '1', memory: '2Gi' }, requests: { cpu: '500m' } },
    });
    expect(variable(pod, 'HTTPS_PROXY')?.value).toBe('http://proxy');
    expect(pod.spec).toMatchObject({
      nodeSelector: { gpu: 'a100' },
      affinity: { nodeAffinity: { weight: 1 } },
      runtimeClassName: 'nvidia',
      priorityClassName: 'high',
      serviceAccountName: 'models',
      automountServiceAccountToken: false,
    });
  });

  test('leaves a lost node after 30 s unless the user says otherwise', () => {
    const own = { key: 'node.kubernetes.io/unreachable', operator: 'Exists' as const, tolerationSeconds: 300 };
    expect(build({ pod: { tolerations: [own] } }).spec['tolerations']).toEqual([
      own,
      { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 30 },
    ]);
  });

  test('gets the credentials of its model’s Secret, those that there are', () => {
    const pod = build({ model: { uri: 's3://models/digits.onnx', secretName: 's3' } });
    expect(variable(pod, 'AWS_SECRET_ACCESS_KEY')?.valueFrom).toEqual({
      secretKeyRef: { name: 's3', key: 'AWS_SECRET_ACCESS_KEY', optional: true },
    });
    expect(variable(pod, 'PILOTLIGHT_MODEL_CA')?.valueFrom).toEqual({
      secretKeyRef: { name: 's3', key: 'ca.crt', optional: true },
    });
    expect(variable(build(), 'AWS_SECRET_ACCESS_KEY')).toBeUndefined();
  });

  test('may be pulled with Secrets, by a policy, and kept from eviction', () => {
    const pod = build({}, settings({ imagePullPolicy: 'Always', imagePullSecrets: ['a', 'b'], safeToEvict: false }));
    expect(pod.spec['imagePullSecrets']).toEqual([{ name: 'a' }, { name: 'b' }]);
    expect(container(pod)['imagePullPolicy']).toBe('Always');
    expect(pod.metadata.annotations?.['cluster-autoscaler.kubernetes.io/safe-to-evict']).toBe('false');
    expect(container(build())).not.toHaveProperty('imagePullPolicy');
    expect(build().spec).not.toHaveProperty('imagePullSecrets');
  });

  test('may have a read-only root, with one bounded volume where models are fetched to', () => {
    const pod = build({}, settings({ readOnlyRootFilesystem: true }));
    expect(container(pod)['securityContext']).toMatchObject({ readOnlyRootFilesystem: true });
    // 16 GiB and 256 MiB: above what the runtime keeps to, or the kubelet would evict the pod.
    expect(pod.spec['volumes']).toEqual([{ name: 'cache', emptyDir: { sizeLimit: '17448304640' } }]);
    expect(variable(pod, 'PILOTLIGHT_MODEL_CACHE_BYTES')?.value).toBe('17179869184');
    expect(container(pod)['volumeMounts']).toEqual([{ name: 'cache', mountPath: '/var/cache/pilotlight' }]);
    expect(variable(pod, 'PILOTLIGHT_MODEL_DIRECTORY')?.value).toBe('/var/cache/pilotlight');
  });

  test('may say where its metrics are', () => {
    expect(build({}, settings({ scrapeAnnotations: true })).metadata.annotations).toMatchObject({
      'prometheus.io/scrape': 'true',
      'prometheus.io/port': '9090',
      'prometheus.io/path': '/metrics',
    });
  });

  test('reads its model from the claim that a pvc: address names, and cannot write there', () => {
    const pod = build({ model: { uri: 'pvc://models/digits/model.onnx' } });
    expect(pod.spec['volumes']).toEqual([
      { name: 'model', persistentVolumeClaim: { claimName: 'models', readOnly: true } },
    ]);
    expect(container(pod)['volumeMounts']).toEqual([{ name: 'model', mountPath: '/mnt/model', readOnly: true }]);
    const both = build({ model: { uri: 'pvc://models/m.onnx' } }, settings({ readOnlyRootFilesystem: true }));
    expect(both.spec['volumes']).toHaveLength(2);
  });

  test('has the image that an oci: address names as a volume, and cannot write there', () => {
    const model = { uri: 'oci://ghcr.io/models/digits:1' };
    const pod = build({ model });
    expect(pod.spec['volumes']).toEqual([{ name: 'model', image: { reference: 'ghcr.io/models/digits:1' } }]);
    expect(container(pod)['volumeMounts']).toEqual([{ name: 'model', mountPath: '/mnt/model', readOnly: true }]);
    expect(build({ model }, settings({ imagePullPolicy: 'Never' })).spec['volumes']).toEqual([
      { name: 'model', image: { reference: 'ghcr.io/models/digits:1', pullPolicy: 'Never' } },
    ]);
  });

  test('carries how many starts failed before it', () => {
    expect(build({}, { attempt: 3 }).metadata.annotations?.['pilotlight.dev/attempt']).toBe('3');
  });
});
