// Generated from crds/pilotlight.dev_modelfunctions.yaml by scripts/generate.ts; change that file and run make generate.

import type { Definition } from '../admission/definition.ts';

export const MODEL_FUNCTION_DEFINITION: Definition = {
  spec: {
    group: 'pilotlight.dev',
    scope: 'Namespaced',
    names: { kind: 'ModelFunction', plural: 'modelfunctions' },
    versions: [
      {
        name: 'v1alpha1',
        schema: {
          openAPIV3Schema: {
            type: 'object',
            required: ['spec'],
            'x-kubernetes-validations': [
              {
                rule: 'size(self.metadata.name) <= 45',
                fieldPath: '.metadata.name',
                message: 'must be at most 45 characters, so that the names of its revisions and pods fit',
              },
              {
                rule: "self.metadata.name.matches('^[a-z]([a-z0-9-]*[a-z0-9])?$')",
                fieldPath: '.metadata.name',
                message:
                  'must be lower-case letters, digits and "-", start with a letter and end with a letter or digit',
              },
              {
                rule: '!self.metadata.name.contains("--")',
                fieldPath: '.metadata.name',
                message: 'must not contain "--", which separates a traffic tag from the function in a host name',
              },
              {
                rule: "self.spec.traffic.all(t, t.revision == 'latest' || t.revision.startsWith(self.metadata.name + '-'))",
                fieldPath: '.spec.traffic',
                message: 'must name "latest" or revisions of this function, <function>-<number>',
              },
            ],
            properties: {
              apiVersion: { type: 'string', maxLength: 64 },
              kind: { type: 'string', maxLength: 64 },
              metadata: { type: 'object', properties: { name: { type: 'string', maxLength: 253 } } },
              spec: {
                type: 'object',
                required: ['model'],
                'x-kubernetes-validations': [
                  {
                    rule: 'self.scaling.minReplicas <= self.scaling.maxReplicas',
                    fieldPath: '.scaling.minReplicas',
                    message: 'must be less than or equal to `maxReplicas`',
                  },
                  {
                    rule: 'self.scaling.initialReplicas <= self.scaling.maxReplicas',
                    fieldPath: '.scaling.initialReplicas',
                    message: 'must be less than or equal to `maxReplicas`',
                  },
                  {
                    rule: 'self.scaling.activationReplicas <= self.scaling.maxReplicas',
                    fieldPath: '.scaling.activationReplicas',
                    message: 'must be less than or equal to `maxReplicas`',
                  },
                ],
                properties: {
                  model: {
                    type: 'object',
                    required: ['uri'],
                    properties: {
                      uri: {
                        type: 'string',
                        minLength: 1,
                        maxLength: 2048,
                        'x-kubernetes-validations': [
                          {
                            rule: "self.matches('^((s3|gs|https|http|hf|pvc|oci)://|file:)[^ ]+$')",
                            message:
                              'must be s3://, gs://, https://, http://, hf://, pvc://, oci:// or file:, followed by a path without spaces',
                          },
                          {
                            rule: '!self.matches("^[a-z0-9]+://[^/]*@")',
                            message: 'must not contain credentials; put them into a Secret and name it in secretName',
                          },
                          {
                            rule: '!self.matches("^(s3|gs):") || self.matches("^(s3|gs)://[a-zA-Z0-9][a-zA-Z0-9._-]+[a-zA-Z0-9]/[^?#]+$")',
                            message: 'must name a bucket and a path in it, as in s3://bucket/path/model.onnx',
                          },
                          {
                            rule: '!self.matches("^hf:") || self.matches("^hf://[a-zA-Z0-9_-][a-zA-Z0-9_.-]*/[a-zA-Z0-9_-][a-zA-Z0-9_.-]*(@([a-zA-Z0-9_.-]|%2[Ff])+)?(/[^?#]*)?$")',
                            message:
                              'must name a repository, as in hf://organisation/model, hf://organisation/model@revision or hf://organisation/model/path/model.onnx',
                          },
                          {
                            rule: '!self.startsWith("pvc:") || self.matches("^pvc://[a-z0-9]([-a-z0-9.]*[a-z0-9])?/")',
                            message:
                              'must name a PersistentVolumeClaim and a path on it, as in pvc://claim/path/model.onnx',
                          },
                          {
                            rule: '!self.startsWith("oci:") || self.matches("^oci://[a-zA-Z0-9.-]+(:[0-9]+)?(/[a-z0-9]+([._-]+[a-z0-9]+)*)+(:[a-zA-Z0-9_][a-zA-Z0-9_.-]*)?(@sha256:[0-9a-f]{64})?$")',
                            message:
                              'must name an image, as in oci://registry.example/models/digits:1 or oci://registry.example/models/digits@sha256:<64 hexadecimal digits>',
                          },
                          {
                            rule: '!self.matches("^(s3|gs|hf|pvc)://(.*/)?[.][.](/|$)")',
                            message: 'must not have ".." in its path',
                          },
                        ],
                      },
                      sha256: {
                        type: 'string',
                        maxLength: 64,
                        'x-kubernetes-validations': [
                          {
                            rule: "self.matches('^[0-9a-f]{64}$')",
                            message: 'must be 64 hexadecimal digits in lower case',
                          },
                        ],
                      },
                      secretName: {
                        type: 'string',
                        minLength: 1,
                        maxLength: 253,
                        pattern: '^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$',
                      },
                    },
                  },
                  runtime: {
                    type: 'object',
                    properties: {
                      executionProviders: {
                        type: 'array',
                        'x-kubernetes-list-type': 'atomic',
                        minItems: 1,
                        maxItems: 8,
                        items: { type: 'string', enum: ['CPU', 'CUDA', 'TensorRT', 'WebGPU', 'CoreML', 'DirectML'] },
                        'x-kubernetes-validations': [
                          {
                            rule: 'self.all(p, self.exists_one(q, q == p))',
                            message: 'must not name an execution provider twice',
                          },
                        ],
                      },
                      instances: { type: 'integer', format: 'int32', minimum: 1, maximum: 64 },
                      intraOpThreads: { type: 'integer', format: 'int32', minimum: 1, maximum: 256 },
                      session: {
                        type: 'object',
                        properties: {
                          graphOptimizationLevel: {
                            type: 'string',
                            enum: ['Disabled', 'Basic', 'Extended', 'Layout', 'All'],
                          },
                          interOpThreads: { type: 'integer', format: 'int32', minimum: 1, maximum: 64 },
                          memoryArena: { type: 'string', enum: ['Enabled', 'Disabled'] },
                          prepacking: { type: 'string', enum: ['Enabled', 'Disabled'] },
                          spinning: { type: 'string', enum: ['Enabled', 'Disabled'] },
                          deviceId: { type: 'integer', format: 'int32', minimum: 0, maximum: 63 },
                        },
                      },
                      image: { type: 'string', minLength: 1, maxLength: 1024, pattern: '^\\S+$' },
                      env: {
                        type: 'array',
                        'x-kubernetes-list-type': 'map',
                        'x-kubernetes-list-map-keys': ['name'],
                        maxItems: 64,
                        items: {
                          type: 'object',
                          required: ['name'],
                          'x-kubernetes-validations': [
                            {
                              rule: '!(has(self.value) && has(self.valueFrom))',
                              message: 'must have value or valueFrom, not both',
                            },
                          ],
                          properties: {
                            name: {
                              type: 'string',
                              minLength: 1,
                              maxLength: 256,
                              pattern: '^[A-Za-z_][A-Za-z0-9_]*$',
                              'x-kubernetes-validations': [
                                {
                                  rule: '!self.startsWith("PILOTLIGHT_")',
                                  message: 'must not start with PILOTLIGHT_, which the operator sets',
                                },
                              ],
                            },
                            value: { type: 'string', maxLength: 8192 },
                            valueFrom: {
                              type: 'object',
                              required: ['secretKeyRef'],
                              properties: {
                                secretKeyRef: {
                                  type: 'object',
                                  required: ['name', 'key'],
                                  properties: {
                                    name: {
                                      type: 'string',
                                      minLength: 1,
                                      maxLength: 253,
                                      pattern: '^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$',
                                    },
                                    key: { type: 'string', minLength: 1, maxLength: 253, pattern: '^[-._a-zA-Z0-9]+$' },
                                  },
                                },
                              },
                            },
                          },
                        },
                      },
                    },
                  },
                  batching: {
                    type: 'object',
                    properties: {
                      mode: { type: 'string', enum: ['Auto', 'On', 'Off'] },
                      maxBatchSize: { type: 'integer', format: 'int32', minimum: 1, maximum: 4096 },
                      maxDelayMilliseconds: { type: 'integer', format: 'int32', minimum: 0, maximum: 10000 },
                    },
                  },
                  resources: {
                    type: 'object',
                    'x-kubernetes-validations': [
                      {
                        rule: '!has(self.limits) || !has(self.requests) || self.requests.all(name, !(name in self.limits) || !isQuantity(string(self.requests[name])) || !isQuantity(string(self.limits[name])) || !quantity(string(self.requests[name])).isGreaterThan(quantity(string(self.limits[name]))))',
                        fieldPath: '.requests',
                        message: 'must be less than or equal to `limits`',
                      },
                    ],
                    properties: {
                      limits: {
                        type: 'object',
                        maxProperties: 16,
                        additionalProperties: {
                          'x-kubernetes-int-or-string': true,
                          maxLength: 32,
                          'x-kubernetes-validations': [
                            {
                              rule: "isQuantity(string(self)) && !quantity(string(self)).isLessThan(quantity('0'))",
                              message: 'must be a quantity of at least 0, for example 2, 500m or 2Gi',
                            },
                          ],
                        },
                      },
                      requests: {
                        type: 'object',
                        maxProperties: 16,
                        additionalProperties: {
                          'x-kubernetes-int-or-string': true,
                          maxLength: 32,
                          'x-kubernetes-validations': [
                            {
                              rule: "isQuantity(string(self)) && !quantity(string(self)).isLessThan(quantity('0'))",
                              message: 'must be a quantity of at least 0, for example 2, 500m or 2Gi',
                            },
                          ],
                        },
                      },
                    },
                  },
                  pod: {
                    type: 'object',
                    properties: {
                      nodeSelector: {
                        type: 'object',
                        maxProperties: 32,
                        additionalProperties: { type: 'string', maxLength: 63 },
                      },
                      tolerations: {
                        type: 'array',
                        'x-kubernetes-list-type': 'atomic',
                        maxItems: 32,
                        items: {
                          type: 'object',
                          'x-kubernetes-validations': [
                            {
                              rule: '!(has(self.operator) && self.operator == "Exists" && has(self.value) && self.value != "")',
                              message: 'must not have a value with the operator Exists',
                            },
                            {
                              rule: "has(self.key) || (has(self.operator) && self.operator == 'Exists')",
                              message: 'must have a key, or the operator Exists to bear every taint',
                            },
                          ],
                          properties: {
                            key: { type: 'string', maxLength: 316 },
                            operator: { type: 'string', enum: ['Equal', 'Exists'] },
                            value: { type: 'string', maxLength: 63 },
                            effect: { type: 'string', enum: ['NoSchedule', 'PreferNoSchedule', 'NoExecute'] },
                            tolerationSeconds: { type: 'integer', format: 'int64', minimum: 0, maximum: 2147483647 },
                          },
                        },
                      },
                      affinity: {
                        type: 'object',
                        maxProperties: 3,
                        properties: {
                          nodeAffinity: {
                            type: 'object',
                            maxProperties: 8,
                            'x-kubernetes-preserve-unknown-fields': true,
                          },
                          podAffinity: {
                            type: 'object',
                            maxProperties: 8,
                            'x-kubernetes-preserve-unknown-fields': true,
                          },
                          podAntiAffinity: {
                            type: 'object',
                            maxProperties: 8,
                            'x-kubernetes-preserve-unknown-fields': true,
                          },
                        },
                      },
                      serviceAccountName: {
                        type: 'string',
                        minLength: 1,
                        maxLength: 253,
                        pattern: '^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$',
                      },
                      priorityClassName: {
                        type: 'string',
                        minLength: 1,
                        maxLength: 253,
                        pattern: '^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$',
                      },
                      runtimeClassName: {
                        type: 'string',
                        minLength: 1,
                        maxLength: 253,
                        pattern: '^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$',
                      },
                    },
                  },
                  scaling: {
                    type: 'object',
                    default: {},
                    properties: {
                      minReplicas: { type: 'integer', format: 'int32', default: 0, minimum: 0, maximum: 1000 },
                      maxReplicas: { type: 'integer', format: 'int32', default: 10, minimum: 1, maximum: 1000 },
                      metric: { type: 'string', default: 'Concurrency', enum: ['Concurrency', 'RequestsPerSecond'] },
                      target: { type: 'integer', format: 'int32', minimum: 1, maximum: 100000 },
                      stableWindowSeconds: { type: 'integer', format: 'int32', default: 60, minimum: 6, maximum: 3600 },
                      panicWindowPercentage: {
                        type: 'integer',
                        format: 'int32',
                        default: 10,
                        minimum: 1,
                        maximum: 100,
                      },
                      panicThresholdPercentage: {
                        type: 'integer',
                        format: 'int32',
                        default: 200,
                        minimum: 110,
                        maximum: 1000,
                      },
                      metricAggregationAlgorithm: {
                        type: 'string',
                        default: 'Linear',
                        enum: ['Linear', 'WeightedExponential'],
                      },
                      maxScaleUpRatePercentage: {
                        type: 'integer',
                        format: 'int32',
                        default: 100000,
                        minimum: 101,
                        maximum: 100000,
                      },
                      maxScaleDownRatePercentage: {
                        type: 'integer',
                        format: 'int32',
                        default: 200,
                        minimum: 101,
                        maximum: 100000,
                      },
                      scaleDownDelaySeconds: {
                        type: 'integer',
                        format: 'int32',
                        default: 0,
                        minimum: 0,
                        maximum: 3600,
                      },
                      scaleToZeroRetentionSeconds: {
                        type: 'integer',
                        format: 'int32',
                        default: 0,
                        minimum: 0,
                        maximum: 3600,
                      },
                      initialReplicas: { type: 'integer', format: 'int32', default: 1, minimum: 1, maximum: 1000 },
                      activationReplicas: { type: 'integer', format: 'int32', default: 1, minimum: 1, maximum: 1000 },
                      startTimeoutSeconds: {
                        type: 'integer',
                        format: 'int32',
                        default: 600,
                        minimum: 1,
                        maximum: 86400,
                      },
                      maxUnschedulable: { type: 'integer', format: 'int32', default: 1, minimum: 1, maximum: 1000 },
                      priority: { type: 'integer', format: 'int32', default: 0, minimum: -1000, maximum: 1000 },
                    },
                  },
                  concurrencyLimit: { type: 'integer', format: 'int32', default: 0, minimum: 0, maximum: 100000 },
                  timeoutSeconds: { type: 'integer', format: 'int32', default: 60, minimum: 1, maximum: 3600 },
                  queue: {
                    type: 'object',
                    default: {},
                    properties: {
                      maxRequests: { type: 'integer', format: 'int32', default: 1000, minimum: 1, maximum: 100000 },
                      maxBytes: {
                        type: 'integer',
                        format: 'int64',
                        default: 268435456,
                        minimum: 1,
                        maximum: 68719476736,
                      },
                      timeoutSeconds: { type: 'integer', format: 'int32', default: 60, minimum: 1, maximum: 3600 },
                    },
                  },
                  visibility: { type: 'string', default: 'Cluster', enum: ['Cluster', 'External'] },
                  rollout: {
                    type: 'object',
                    default: {},
                    properties: { strategy: { type: 'string', default: 'Surge', enum: ['Surge', 'Recreate'] } },
                  },
                  revisionHistoryLimit: { type: 'integer', format: 'int32', default: 3, minimum: 0, maximum: 100 },
                  traffic: {
                    type: 'array',
                    'x-kubernetes-list-type': 'atomic',
                    minItems: 1,
                    maxItems: 10,
                    default: [{ revision: 'latest', percent: 100 }],
                    'x-kubernetes-validations': [
                      {
                        rule: 'self.map(t, t.percent).sum() == 100',
                        message: 'must have percentages that add up to 100',
                      },
                      {
                        rule: "self.filter(t, t.revision == 'latest').size() <= 1",
                        message: 'must name "latest" at most once',
                      },
                      {
                        rule: 'self.all(t, !has(t.tag) || self.exists_one(u, has(u.tag) && u.tag == t.tag))',
                        message: 'must not use a tag twice',
                      },
                    ],
                    items: {
                      type: 'object',
                      required: ['revision'],
                      'x-kubernetes-validations': [
                        {
                          rule: 'self.percent > 0 || has(self.tag)',
                          message: 'must have a percent above 0 or a tag, or nothing reaches the revision',
                        },
                      ],
                      properties: {
                        revision: {
                          type: 'string',
                          minLength: 1,
                          maxLength: 63,
                          pattern: '^[a-z]([-a-z0-9]*[a-z0-9])?$',
                        },
                        percent: { type: 'integer', format: 'int32', default: 0, minimum: 0, maximum: 100 },
                        tag: {
                          type: 'string',
                          minLength: 1,
                          maxLength: 16,
                          'x-kubernetes-validations': [
                            {
                              rule: "self.matches('^[a-z](-?[a-z0-9])*$')",
                              message:
                                'must be lower-case letters, digits and single "-", start with a letter and end with a letter or digit',
                            },
                          ],
                        },
                      },
                    },
                  },
                },
              },
              status: {
                type: 'object',
                properties: {
                  conditions: {
                    type: 'array',
                    'x-kubernetes-list-type': 'map',
                    'x-kubernetes-list-map-keys': ['type'],
                    maxItems: 16,
                    items: {
                      type: 'object',
                      required: ['type', 'status', 'reason', 'message', 'lastTransitionTime'],
                      properties: {
                        type: { type: 'string', maxLength: 64, pattern: '^[A-Z][A-Za-z]*$' },
                        status: { type: 'string', enum: ['True', 'False', 'Unknown'] },
                        observedGeneration: { type: 'integer', format: 'int64', minimum: 0, maximum: 9007199254740991 },
                        lastTransitionTime: { type: 'string', format: 'date-time', maxLength: 64 },
                        reason: { type: 'string', minLength: 1, maxLength: 128, pattern: '^[A-Z][A-Za-z0-9]*$' },
                        message: { type: 'string', maxLength: 32768 },
                      },
                    },
                  },
                  observedGeneration: { type: 'integer', format: 'int64', minimum: 0, maximum: 9007199254740991 },
                  url: { type: 'string', maxLength: 2048 },
                  latestCreatedRevision: { type: 'string', maxLength: 63 },
                  latestReadyRevision: { type: 'string', maxLength: 63 },
                  replicas: { type: 'integer', format: 'int32', minimum: 0, maximum: 1000000 },
                  desiredReplicas: { type: 'integer', format: 'int32', minimum: 0, maximum: 1000000 },
                  traffic: {
                    type: 'array',
                    'x-kubernetes-list-type': 'atomic',
                    maxItems: 10,
                    items: {
                      type: 'object',
                      required: ['revision', 'percent'],
                      properties: {
                        revision: { type: 'string', maxLength: 63 },
                        percent: { type: 'integer', format: 'int32', minimum: 0, maximum: 100 },
                        tag: { type: 'string', maxLength: 16 },
                        url: { type: 'string', maxLength: 2048 },
                      },
                    },
                  },
                  model: {
                    type: 'object',
                    required: ['sha256', 'sizeBytes', 'inputs', 'outputs', 'batching'],
                    properties: {
                      sha256: { type: 'string', maxLength: 64 },
                      sizeBytes: { type: 'integer', format: 'int64', minimum: 0, maximum: 9007199254740991 },
                      inputs: {
                        type: 'array',
                        'x-kubernetes-list-type': 'atomic',
                        maxItems: 1024,
                        items: {
                          type: 'object',
                          required: ['name', 'datatype', 'shape'],
                          properties: {
                            name: { type: 'string', maxLength: 1024 },
                            datatype: { type: 'string', maxLength: 16 },
                            shape: {
                              type: 'array',
                              'x-kubernetes-list-type': 'atomic',
                              maxItems: 64,
                              items: { type: 'integer', format: 'int64', minimum: -1, maximum: 9007199254740991 },
                            },
                          },
                        },
                      },
                      outputs: {
                        type: 'array',
                        'x-kubernetes-list-type': 'atomic',
                        maxItems: 1024,
                        items: {
                          type: 'object',
                          required: ['name', 'datatype', 'shape'],
                          properties: {
                            name: { type: 'string', maxLength: 1024 },
                            datatype: { type: 'string', maxLength: 16 },
                            shape: {
                              type: 'array',
                              'x-kubernetes-list-type': 'atomic',
                              maxItems: 64,
                              items: { type: 'integer', format: 'int64', minimum: -1, maximum: 9007199254740991 },
                            },
                          },
                        },
                      },
                      batching: {
                        type: 'object',
                        required: ['enabled', 'reason'],
                        properties: { enabled: { type: 'boolean' }, reason: { type: 'string', maxLength: 1024 } },
                      },
                    },
                  },
                },
              },
            },
          },
        },
        subresources: { status: {} },
      },
    ],
  },
};
