/**
 * ModelFunctions that an API server must take or refuse, every rule at least once. The same table is tried on `admit` and on a real API server, so
 * that neither the evaluator nor a rule's cost estimate can drift from the truth.
 */
import type { FieldCause } from '../object.ts';

export interface AdmissionCase {
  readonly title: string;
  readonly name: string;
  readonly spec: object;
  /** Each of these must be among the faults; none: the object is taken. */
  readonly causes: readonly FieldCause[];
}

const model = { uri: 's3://models/digits/model.onnx' };

const NAME_ALPHABET = 'must be lower-case letters, digits and "-", start with a letter and end with a letter or digit';
const AT_MOST_MAX_REPLICAS = 'must be less than or equal to `maxReplicas`';
const SCHEMES =
  'must be s3://, gs://, https://, http://, hf://, pvc://, oci:// or file:, followed by a path without spaces';
const BUCKET = 'must name a bucket and a path in it, as in s3://bucket/path/model.onnx';
const REPOSITORY =
  'must name a repository, as in hf://organisation/model, hf://organisation/model@revision or hf://organisation/model/path/model.onnx';
const CLAIM = 'must name a PersistentVolumeClaim and a path on it, as in pvc://claim/path/model.onnx';
const IMAGE =
  'must name an image, as in oci://registry.example/models/digits:1 or oci://registry.example/models/digits@sha256:<64 hexadecimal digits>';
const DIGEST = 'must be 64 hexadecimal digits in lower case';
const QUANTITY = 'must be a quantity of at least 0, for example 2, 500m or 2Gi';
const TAG_ALPHABET =
  'must be lower-case letters, digits and single "-", start with a letter and end with a letter or digit';
const OWN_REVISIONS = 'must name "latest" or revisions of this function, <function>-<number>';

function valid(title: string, spec: object, name = 'digits'): AdmissionCase {
  return { title, name, spec, causes: [] };
}

function refused(title: string, spec: object, field: string, message: string, name = 'digits'): AdmissionCase {
  return { title, name, spec, causes: [{ field, message }] };
}

/** `Invalid value: "string": …` */
function invalid(type: string, message: string): string {
  return `Invalid value: "${type}": ${message}`;
}

export const MODEL_FUNCTION_CASES: readonly AdmissionCase[] = [
  valid('only a model', { model }),
  valid('every field', {
    model: { ...model, sha256: '0123456789abcdef'.repeat(4), secretName: 'models-s3' },
    runtime: {
      executionProviders: ['CUDA', 'CPU'],
      instances: 2,
      intraOpThreads: 4,
      session: {
        ...{ graphOptimizationLevel: 'Extended', interOpThreads: 2, memoryArena: 'Disabled', prepacking: 'Disabled' },
        ...{ spinning: 'Enabled', deviceId: 1 },
      },
      image: 'registry.example:5000/runtime@sha256:abc',
      env: [
        { name: 'A', value: '' },
        { name: 'B', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } },
      ],
    },
    batching: { mode: 'On', maxBatchSize: 16, maxDelayMilliseconds: 5 },
    resources: { requests: { cpu: '1500m' }, limits: { cpu: 2, memory: '2Gi', 'nvidia.com/gpu': 1 } },
    pod: {
      nodeSelector: { zone: 'a' },
      tolerations: [{ operator: 'Exists' }, { key: 'gpu', operator: 'Equal', value: 'yes', effect: 'NoSchedule' }],
      affinity: { nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [] } },
      serviceAccountName: 'models',
      priorityClassName: 'high',
      runtimeClassName: 'nvidia',
    },
    scaling: {
      ...{ minReplicas: 1, maxReplicas: 4, metric: 'Concurrency', target: 1, stableWindowSeconds: 6 },
      ...{ panicWindowPercentage: 10, panicThresholdPercentage: 200, scaleDownDelaySeconds: 5 },
      ...{ metricAggregationAlgorithm: 'WeightedExponential', maxScaleUpRatePercentage: 150 },
      maxScaleDownRatePercentage: 110,
      ...{ scaleToZeroRetentionSeconds: 5, initialReplicas: 2, activationReplicas: 2, startTimeoutSeconds: 30 },
      maxUnschedulable: 2,
      priority: -1000,
    },
    concurrencyLimit: 4,
    timeoutSeconds: 30,
    queue: { maxRequests: 10, maxBytes: 1000000, timeoutSeconds: 30 },
    visibility: 'External',
    rollout: { strategy: 'Recreate' },
    revisionHistoryLimit: 0,
    traffic: [
      { revision: 'latest', percent: 90, tag: 'current' },
      { revision: 'digits-00001', percent: 10 },
      { revision: 'digits-00002', tag: 'a-b2' },
    ],
  }),
  valid('the longest name', { model }, 'a'.repeat(45)),
  valid('a path relative to the manifest', { model: { uri: 'file:model.onnx' } }),
  valid('an "@" in the path', {
    model: { uri: `oci://registry.example:5000/models/digits:1@sha256:${'0123456789abcdef'.repeat(4)}` },
  }),
  valid('a repository at a revision', { model: { uri: 'hf://organisation/model@v1.0' } }),
  valid('a repository at a revision with a slash', { model: { uri: 'hf://organisation/model@refs%2Fpr%2F1' } }),
  valid('a folder on a claim', { model: { uri: 'pvc://models/digits/' } }),
  valid('a folder of a bucket', { model: { uri: 'gs://models.team-1/digits' } }),
  valid('requests per second', { model, scaling: { metric: 'RequestsPerSecond', target: 100000 } }),
  valid('bounds that meet', { model, scaling: { minReplicas: 10, initialReplicas: 10, activationReplicas: 10 } }),
  valid('requests that equal the limits in another notation', {
    model,
    resources: { requests: { cpu: '2000m', memory: '1Gi' }, limits: { cpu: 2, memory: '1073741824' } },
  }),
  valid('a request without a limit', { model, resources: { requests: { cpu: 1 }, limits: { memory: '1Gi' } } }),

  refused(
    'a name that is too long',
    { model },
    'metadata.name',
    invalid('object', 'must be at most 45 characters, so that the names of its revisions and pods fit'),
    'a'.repeat(46),
  ),
  refused('a name that starts with a digit', { model }, 'metadata.name', invalid('object', NAME_ALPHABET), '1digits'),
  refused('a name with a dot', { model }, 'metadata.name', invalid('object', NAME_ALPHABET), 'a.b'),
  refused(
    'a name with the separator of tags',
    { model },
    'metadata.name',
    invalid('object', 'must not contain "--", which separates a traffic tag from the function in a host name'),
    'a--b',
  ),
  refused(
    'a minimum above the maximum',
    { model, scaling: { minReplicas: 3, maxReplicas: 2 } },
    'spec.scaling.minReplicas',
    invalid('object', AT_MOST_MAX_REPLICAS),
  ),
  refused(
    'a minimum above the default maximum',
    { model, scaling: { minReplicas: 11 } },
    'spec.scaling.minReplicas',
    invalid('object', AT_MOST_MAX_REPLICAS),
  ),
  refused(
    'more initial replicas than the maximum',
    { model, scaling: { maxReplicas: 2, initialReplicas: 3 } },
    'spec.scaling.initialReplicas',
    invalid('object', AT_MOST_MAX_REPLICAS),
  ),
  refused(
    'more activation replicas than the maximum',
    { model, scaling: { maxReplicas: 2, activationReplicas: 3 } },
    'spec.scaling.activationReplicas',
    invalid('object', AT_MOST_MAX_REPLICAS),
  ),
  refused('an unknown scheme', { model: { uri: 'ftp://a/b' } }, 'spec.model.uri', invalid('string', SCHEMES)),
  refused('a bucket without a path', { model: { uri: 's3://models' } }, 'spec.model.uri', invalid('string', BUCKET)),
  refused('a signed address in s3', { model: { uri: 's3://m-1/a?X=1' } }, 'spec.model.uri', invalid('string', BUCKET)),
  refused('no repository', { model: { uri: 'hf://model' } }, 'spec.model.uri', invalid('string', REPOSITORY)),
  refused('no claim', { model: { uri: 'pvc:///model.onnx' } }, 'spec.model.uri', invalid('string', CLAIM)),
  refused('no image', { model: { uri: 'oci://registry.example' } }, 'spec.model.uri', invalid('string', IMAGE)),
  refused(
    'a way out of the bucket',
    { model: { uri: 's3://models/a/../b' } },
    'spec.model.uri',
    invalid('string', 'must not have ".." in its path'),
  ),
  refused('no scheme', { model: { uri: 'model.onnx' } }, 'spec.model.uri', invalid('string', SCHEMES)),
  refused('a URI with a space', { model: { uri: 's3://a/b c' } }, 'spec.model.uri', invalid('string', SCHEMES)),
  refused(
    'credentials in the URI',
    { model: { uri: 'https://me:secret@models.example/model.onnx' } },
    'spec.model.uri',
    invalid('string', 'must not contain credentials; put them into a Secret and name it in secretName'),
  ),
  refused('a short digest', { model: { ...model, sha256: 'abc' } }, 'spec.model.sha256', invalid('string', DIGEST)),
  refused(
    'a digest in capitals',
    { model: { ...model, sha256: 'ABCDEF0123456789'.repeat(4) } },
    'spec.model.sha256',
    invalid('string', DIGEST),
  ),
  refused(
    'a provider twice',
    { model, runtime: { executionProviders: ['CPU', 'CUDA', 'CPU'] } },
    'spec.runtime.executionProviders',
    invalid('array', 'must not name an execution provider twice'),
  ),
  refused(
    'a variable with two values',
    { model, runtime: { env: [{ name: 'A', value: 'b', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } }] } },
    'spec.runtime.env[0]',
    invalid('object', 'must have value or valueFrom, not both'),
  ),
  refused(
    "a variable of the operator's",
    { model, runtime: { env: [{ name: 'PILOTLIGHT_RUNTIME' }] } },
    'spec.runtime.env[0].name',
    invalid('string', 'must not start with PILOTLIGHT_, which the operator sets'),
  ),
  refused(
    'a variable twice',
    { model, runtime: { env: [{ name: 'A' }, { name: 'A', value: 'b' }] } },
    'spec.runtime.env[1]',
    'Duplicate value: {"name":"A"}',
  ),
  refused(
    'a limit that is no quantity',
    { model, resources: { limits: { cpu: 'two' } } },
    'spec.resources.limits[cpu]',
    invalid('', QUANTITY),
  ),
  refused(
    'a negative request',
    { model, resources: { requests: { 'nvidia.com/gpu': -1 } } },
    'spec.resources.requests[nvidia.com/gpu]',
    invalid('', QUANTITY),
  ),
  refused(
    'a request above its limit',
    { model, resources: { requests: { memory: '2Gi' }, limits: { memory: '2G' } } },
    'spec.resources.requests',
    invalid('object', 'must be less than or equal to `limits`'),
  ),
  refused(
    'a toleration of every taint with a value',
    { model, pod: { tolerations: [{ key: 'a', operator: 'Exists', value: 'b' }] } },
    'spec.pod.tolerations[0]',
    invalid('object', 'must not have a value with the operator Exists'),
  ),
  refused(
    'a toleration without a key',
    { model, pod: { tolerations: [{ effect: 'NoSchedule' }] } },
    'spec.pod.tolerations[0]',
    invalid('object', 'must have a key, or the operator Exists to bear every taint'),
  ),
  refused(
    'traffic of 90 percent',
    { model, traffic: [{ revision: 'latest', percent: 90 }] },
    'spec.traffic',
    invalid('array', 'must have percentages that add up to 100'),
  ),
  refused(
    'latest twice',
    {
      model,
      traffic: [
        { revision: 'latest', percent: 50 },
        { revision: 'latest', percent: 50 },
      ],
    },
    'spec.traffic',
    invalid('array', 'must name "latest" at most once'),
  ),
  refused(
    'a tag twice',
    {
      model,
      traffic: [
        { revision: 'latest', percent: 100, tag: 'a' },
        { revision: 'digits-00001', tag: 'a' },
      ],
    },
    'spec.traffic',
    invalid('array', 'must not use a tag twice'),
  ),
  refused(
    'a tag that is no part of a host name',
    { model, traffic: [{ revision: 'latest', percent: 100, tag: 'a--b' }] },
    'spec.traffic[0].tag',
    invalid('string', TAG_ALPHABET),
  ),
  refused(
    'a share that nothing reaches',
    { model, traffic: [{ revision: 'latest', percent: 100 }, { revision: 'digits-00001' }] },
    'spec.traffic[1]',
    invalid('object', 'must have a percent above 0 or a tag, or nothing reaches the revision'),
  ),
  refused(
    "another function's revision",
    { model, traffic: [{ revision: 'letters-00001', percent: 100 }] },
    'spec.traffic',
    invalid('object', OWN_REVISIONS),
  ),

  refused('no model', {}, 'spec.model', 'Required value'),
  refused('null for a model', { model: null }, 'spec.model', 'Required value'),
  refused('no URI', { model: {} }, 'spec.model.uri', 'Required value'),
  refused(
    'a list for an object',
    { model, queue: [] },
    'spec.queue',
    invalid('array', 'spec.queue in body must be of type object: "array"'),
  ),
  refused(
    'a fraction for an integer',
    { model, timeoutSeconds: 1.5 },
    'spec.timeoutSeconds',
    invalid('number', 'spec.timeoutSeconds in body must be of type integer: "number"'),
  ),
  refused(
    'a fraction for a quantity',
    { model, resources: { limits: { cpu: 1.5 } } },
    'spec.resources.limits.cpu',
    invalid('number', 'spec.resources.limits.cpu in body must be of type integer,string: "number"'),
  ),
  refused(
    'a number below its bound',
    { model, timeoutSeconds: 0 },
    'spec.timeoutSeconds',
    'Invalid value: 0: spec.timeoutSeconds in body should be greater than or equal to 1',
  ),
  refused(
    'a priority above its bound',
    { model, scaling: { priority: 1001 } },
    'spec.scaling.priority',
    'Invalid value: 1001: spec.scaling.priority in body should be less than or equal to 1000',
  ),
  refused(
    'a number above its bound',
    { model, scaling: { maxReplicas: 1001 } },
    'spec.scaling.maxReplicas',
    'Invalid value: 1001: spec.scaling.maxReplicas in body should be less than or equal to 1000',
  ),
  refused(
    'a rate that would let nothing grow',
    { model, scaling: { maxScaleUpRatePercentage: 100 } },
    'spec.scaling.maxScaleUpRatePercentage',
    'Invalid value: 100: spec.scaling.maxScaleUpRatePercentage in body should be greater than or equal to 101',
  ),
  refused(
    'a rate that would let nothing shrink',
    { model, scaling: { maxScaleDownRatePercentage: 100 } },
    'spec.scaling.maxScaleDownRatePercentage',
    'Invalid value: 100: spec.scaling.maxScaleDownRatePercentage in body should be greater than or equal to 101',
  ),
  refused(
    'a metric in Knative’s spelling',
    { model, scaling: { metric: 'rps' } },
    'spec.scaling.metric',
    'Unsupported value: "rps": supported values: "Concurrency", "RequestsPerSecond"',
  ),
  refused(
    'a way of averaging in Knative’s spelling',
    { model, scaling: { metricAggregationAlgorithm: 'linear' } },
    'spec.scaling.metricAggregationAlgorithm',
    'Unsupported value: "linear": supported values: "Linear", "WeightedExponential"',
  ),
  refused(
    'a word that is none of the choices',
    { model, visibility: 'Public' },
    'spec.visibility',
    'Unsupported value: "Public": supported values: "Cluster", "External"',
  ),
  refused(
    'a string that is too long',
    { model: { ...model, sha256: 'a'.repeat(65) } },
    'spec.model.sha256',
    'Too long: may not be more than 64 bytes',
  ),
  refused(
    'a string that is empty',
    { model: { uri: '' } },
    'spec.model.uri',
    'Invalid value: "": spec.model.uri in body should be at least 1 chars long',
  ),
  refused(
    'a string that does not match',
    { model: { ...model, secretName: 'My Secret' } },
    'spec.model.secretName',
    `Invalid value: "My Secret": spec.model.secretName in body should match '^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$'`,
  ),
  refused(
    'a list that is too long',
    { model, traffic: Array.from({ length: 11 }, () => ({ revision: 'latest', percent: 1 })) },
    'spec.traffic',
    'Too many: 11: must have at most 10 items',
  ),
  refused(
    'a list that is empty',
    { model, traffic: [] },
    'spec.traffic',
    'Invalid value: 0: spec.traffic in body should have at least 1 items',
  ),
  refused(
    'a map that is too large',
    { model, resources: { limits: Object.fromEntries(Array.from({ length: 17 }, (_, n) => [`example.com/${n}`, 1])) } },
    'spec.resources.limits',
    'Too many: 17: must have at most 16 items',
  ),
  {
    title: 'several faults at once',
    name: 'digits',
    spec: { model: { uri: 'ftp://a/b' }, timeoutSeconds: 0, scaling: { minReplicas: 11 } },
    causes: [
      { field: 'spec.model.uri', message: invalid('string', SCHEMES) },
      {
        field: 'spec.timeoutSeconds',
        message: 'Invalid value: 0: spec.timeoutSeconds in body should be greater than or equal to 1',
      },
      { field: 'spec.scaling.minReplicas', message: invalid('object', AT_MOST_MAX_REPLICAS) },
    ],
  },
];
