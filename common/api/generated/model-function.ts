// Generated from crds/pilotlight.dev_modelfunctions.yaml by scripts/generate.ts; change that file and run make generate.

import type { ObjectMeta } from '../object.ts';

/**
 * ModelFunction is an ONNX model that is served by the Open Inference Protocol and scaled by demand, down to nothing when nobody calls.
 *
 * As an API server stores it: what has a default is there.
 */
export interface ModelFunction {
  readonly apiVersion: 'pilotlight.dev/v1alpha1';
  readonly kind: 'ModelFunction';
  readonly metadata: ObjectMeta;
  /**
   * spec is what is wanted. A change of model, runtime, batching, resources or pod makes a new revision; everything else takes effect on the living ones.
   */
  readonly spec: {
    /**
     * model says where the model comes from.
     */
    readonly model: {
      /**
       * uri is where the model is fetched from, with one of the schemes s3, gs, https, http, hf, pvc, oci and file: s3://bucket/path/model.onnx, hf://organisation/model[@revision][/path], pvc://claim/path, oci://registry/repository:tag. It names an ONNX file, a folder with one (in Triton's layout, or with a single .onnx) or an archive (tar, tar.gz, zip); files that the model keeps weights in are fetched too. A path after file: that does not start with "/" is relative to the manifest in local mode, and to the working directory of the runtime's image in a cluster.
       */
      readonly uri: string;
      /**
       * sha256 pins the model. It is verified before the model is loaded, and another is never served. Of a single ONNX file it is the file's SHA-256, of an archive the archive's, and of a model that keeps weights in other files the SHA-256 of the listing that sha256sum prints of them, sorted by name.
       */
      readonly sha256?: string;
      /**
       * secretName names a Secret of the same namespace with what uri needs, under the usual names: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_REGION, AWS_ENDPOINT_URL; GOOGLE_APPLICATION_CREDENTIALS_JSON; HF_TOKEN; token, or username and password, for http and https; ca.crt for an authority of one's own.
       */
      readonly secretName?: string;
    };
    /**
     * runtime configures the process that runs the model.
     */
    readonly runtime?: {
      /**
       * executionProviders lists ONNX Runtime's execution providers in order of preference. One that the pod does not have is skipped if CPU comes after it; otherwise the revision fails. Without it, CUDA and CPU if resources ask for an nvidia.com GPU, else CPU.
       */
      readonly executionProviders?: readonly ('CPU' | 'CUDA' | 'TensorRT' | 'WebGPU' | 'CoreML' | 'DirectML')[];
      /**
       * instances is how many copies of the model a pod loads, each with a thread of its own, so that many requests or batches run at once. Without it, one.
       */
      readonly instances?: number;
      /**
       * intraOpThreads is how many threads one run of the model uses. Without it, the CPU limit divided by instances.
       */
      readonly intraOpThreads?: number;
      /**
       * session sets options of ONNX Runtime's sessions. Each has the default that suits most models; what ONNX Runtime for Node ignores without a word (fixed sizes for free dimensions, memory limits of a GPU) is not among them.
       */
      readonly session?: {
        /**
         * graphOptimizationLevel is how far the graph is rewritten when the model is loaded. Without it, All.
         */
        readonly graphOptimizationLevel?: 'Disabled' | 'Basic' | 'Extended' | 'Layout' | 'All';
        /**
         * interOpThreads is how many parts of the graph may run at the same time, each with intraOpThreads of its own; it helps graphs of several branches only. Without it, 1.
         */
        readonly interOpThreads?: number;
        /**
         * memoryArena keeps memory for the next run, and its layout for shapes seen before. Disabled saves memory where shapes vary, at a few percent of speed. Without it, Enabled.
         */
        readonly memoryArena?: 'Enabled' | 'Disabled';
        /**
         * prepacking lays weights out anew for faster runs when the model is loaded. Disabled loads large models sooner and in less memory, above all with external data, and makes runs of single rows 20 to 35 % slower. Without it, Enabled.
         */
        readonly prepacking?: 'Enabled' | 'Disabled';
        /**
         * spinning lets threads of a run wait actively for the next part. It helps small models with CPUs of their own, and burns the quota of a CPU limit. It matters if intraOpThreads is above 1. Without it, Disabled.
         */
        readonly spinning?: 'Enabled' | 'Disabled';
        /**
         * deviceId is the GPU that CUDA and TensorRT use, counted from 0 among those that the container has. Without it, 0.
         */
        readonly deviceId?: number;
      };
      /**
       * image is the container image of the runtime. Without it, the operator's at the time the revision is created.
       */
      readonly image?: string;
      /**
       * env adds environment variables to the runtime's container.
       */
      readonly env?: readonly {
        /**
         * name of the variable.
         */
        readonly name: string;
        /**
         * value of the variable, as it is.
         */
        readonly value?: string;
        /**
         * valueFrom says where the value comes from.
         */
        readonly valueFrom?: {
          /**
           * secretKeyRef takes the value from a Secret of the same namespace.
           */
          readonly secretKeyRef: {
            /**
             * name of the Secret.
             */
            readonly name: string;
            /**
             * key in the Secret's data.
             */
            readonly key: string;
          };
        };
      }[];
    };
    /**
     * batching joins requests that wait for the model into one run. It is only done where the model allows it; the status says why not.
     */
    readonly batching?: {
      /**
       * mode says whether requests share runs: Auto where it is right, and up to the size to which a measurement after the start shows that it pays; On where it is right, up to maxBatchSize; Off never. Without it, Auto.
       */
      readonly mode?: 'Auto' | 'On' | 'Off';
      /**
       * maxBatchSize is the most rows of one run; 1 turns batching off. Without it, 32.
       */
      readonly maxBatchSize?: number;
      /**
       * maxDelayMilliseconds is how long a free model waits for more requests before it runs. Without it, 0: a batch is what queued up while the last one ran.
       */
      readonly maxDelayMilliseconds?: number;
    };
    /**
     * resources of the runtime's container, as in a Pod. Extended resources such as nvidia.com/gpu belong into limits.
     */
    readonly resources?: {
      /**
       * limits by resource name, for example cpu, memory, nvidia.com/gpu.
       */
      readonly limits?: {
        readonly [k: string]: number | string;
      };
      /**
       * requests by resource name; a resource without one requests its limit.
       */
      readonly requests?: {
        readonly [k: string]: number | string;
      };
    };
    /**
     * pod says where and as whom the pods run, as in a Pod.
     */
    readonly pod?: {
      /**
       * nodeSelector lists labels that a node must have.
       */
      readonly nodeSelector?: {
        readonly [k: string]: string;
      };
      /**
       * tolerations lists taints of nodes that the pods bear.
       */
      readonly tolerations?: readonly {
        /**
         * key of the taint.
         */
        readonly key?: string;
        /**
         * operator is Equal (the key and its value) or Exists (the key with any value). Without it, Equal.
         */
        readonly operator?: 'Equal' | 'Exists';
        /**
         * value of the taint.
         */
        readonly value?: string;
        /**
         * effect of the taint. Without it, every effect.
         */
        readonly effect?: 'NoSchedule' | 'PreferNoSchedule' | 'NoExecute';
        /**
         * tolerationSeconds is how long a NoExecute taint is borne. Without it, for ever.
         */
        readonly tolerationSeconds?: number;
      }[];
      /**
       * affinity of the pods to nodes and to other pods, as in a Pod.
       */
      readonly affinity?: {
        /**
         * nodeAffinity as in a Pod.
         */
        readonly nodeAffinity?: Record<string, unknown>;
        /**
         * podAffinity as in a Pod.
         */
        readonly podAffinity?: Record<string, unknown>;
        /**
         * podAntiAffinity as in a Pod.
         */
        readonly podAntiAffinity?: Record<string, unknown>;
      };
      /**
       * serviceAccountName names the ServiceAccount of the pods; its token is not mounted.
       */
      readonly serviceAccountName?: string;
      /**
       * priorityClassName names the PriorityClass of the pods.
       */
      readonly priorityClassName?: string;
      /**
       * runtimeClassName names the RuntimeClass of the pods, for example nvidia.
       */
      readonly runtimeClassName?: string;
    };
    /**
     * scaling says how many pods run for how much demand.
     */
    readonly scaling: {
      /**
       * minReplicas is how many pods always run; 0 lets an idle function cost nothing.
       */
      readonly minReplicas: number;
      /**
       * maxReplicas is the most pods that run at once.
       */
      readonly maxReplicas: number;
      /**
       * metric is what target counts: Concurrency is requests in flight and queued at once, RequestsPerSecond is requests that arrive in a second, for requests that all take the same short time.
       */
      readonly metric: 'Concurrency' | 'RequestsPerSecond';
      /**
       * target is the metric that one pod should carry; the autoscaler keeps demand divided by target as the number of pods. Without it, 8 for Concurrency and 200 for RequestsPerSecond. A lower concurrencyLimit takes its place for Concurrency.
       */
      readonly target?: number;
      /**
       * stableWindowSeconds is how far back demand is averaged; without demand for that long, the function scales to zero.
       */
      readonly stableWindowSeconds: number;
      /**
       * panicWindowPercentage is the share of the stable window in which a burst is looked for.
       */
      readonly panicWindowPercentage: number;
      /**
       * panicThresholdPercentage of what the ready pods should carry is a burst: from then the panic window decides, and nothing scales down until a stable window has passed.
       */
      readonly panicThresholdPercentage: number;
      /**
       * metricAggregationAlgorithm is how windows are averaged: Linear counts each second alike, WeightedExponential counts newer seconds more, and follows a change sooner.
       */
      readonly metricAggregationAlgorithm: 'Linear' | 'WeightedExponential';
      /**
       * maxScaleUpRatePercentage bounds one decision upwards, to so many percent of the pods that are ready or start: with 200, from 3 to 6. Decisions are 2 s apart.
       */
      readonly maxScaleUpRatePercentage: number;
      /**
       * maxScaleDownRatePercentage bounds one decision downwards, to the pods that are ready or start, divided by so many percent: with 200, from 6 to 3. Decisions are 2 s apart.
       */
      readonly maxScaleDownRatePercentage: number;
      /**
       * scaleDownDelaySeconds is how long lower demand must last before pods are removed.
       */
      readonly scaleDownDelaySeconds: number;
      /**
       * scaleToZeroRetentionSeconds is how long the last pod stays after the function could scale to zero.
       */
      readonly scaleToZeroRetentionSeconds: number;
      /**
       * initialReplicas is how many pods a new revision starts to prove itself, with or without demand.
       */
      readonly initialReplicas: number;
      /**
       * activationReplicas is how many pods start when demand wakes the function from zero.
       */
      readonly activationReplicas: number;
      /**
       * startTimeoutSeconds is how long a pod may take to become ready before its revision counts as failed.
       */
      readonly startTimeoutSeconds: number;
      /**
       * maxUnschedulable is how many pods of a revision may wait for a node at once; a waiting pod is what node autoscalers act on.
       */
      readonly maxUnschedulable: number;
      /**
       * priority says who comes first where budgets of the installation bound a resource, such as GPUs: a higher one goes ahead in line, and gets the idle replicas of lower ones. It says nothing to the scheduler; pod.priorityClassName does.
       */
      readonly priority: number;
    };
    /**
     * concurrencyLimit is the most requests that one pod takes at once, a hard limit; 0 for none.
     */
    readonly concurrencyLimit: number;
    /**
     * timeoutSeconds is how long a request may take in a pod; its wait in the queue does not count.
     */
    readonly timeoutSeconds: number;
    /**
     * queue bounds the requests that wait for a pod, in each gateway.
     */
    readonly queue: {
      /**
       * maxRequests is how many requests wait at most; one more is answered 429.
       */
      readonly maxRequests: number;
      /**
       * maxBytes is how many bytes of bodies wait at most; a request above it is answered 429.
       */
      readonly maxBytes: number;
      /**
       * timeoutSeconds is how long a request waits at most; then it is answered 503.
       */
      readonly timeoutSeconds: number;
    };
    /**
     * visibility is Cluster (callers inside the cluster) or External (also the gateway's external listener).
     */
    readonly visibility: 'Cluster' | 'External';
    /**
     * rollout says how a new revision replaces the old one.
     */
    readonly rollout: {
      /**
       * strategy is Surge (the new revision starts beside the old one, which serves until the new one is ready) or Recreate (the old one is stopped first, for where there is no second GPU).
       */
      readonly strategy: 'Surge' | 'Recreate';
    };
    /**
     * revisionHistoryLimit is how many revisions without traffic are kept, to go back to.
     */
    readonly revisionHistoryLimit: number;
    /**
     * traffic shares requests among revisions.
     */
    readonly traffic: readonly {
      /**
       * revision is the name of a revision, or latest for the newest that is ready.
       */
      readonly revision: string;
      /**
       * percent of the requests that go to the revision.
       */
      readonly percent: number;
      /**
       * tag gives the revision a host name of its own, <tag>--<function>, whatever its percent.
       */
      readonly tag?: string;
    }[];
  };
  /**
   * status is what was observed; only the operator writes it.
   */
  readonly status?: {
    /**
     * conditions of the function by type; Ready sums them up. A function at zero replicas is Ready with Active False.
     */
    readonly conditions?: readonly {
      /**
       * type of the condition.
       */
      readonly type: string;
      /**
       * status is True, False or Unknown.
       */
      readonly status: 'True' | 'False' | 'Unknown';
      /**
       * observedGeneration is the metadata.generation that the condition speaks of.
       */
      readonly observedGeneration?: number;
      /**
       * lastTransitionTime is when the status last changed.
       */
      readonly lastTransitionTime: string;
      /**
       * reason is one word for programs.
       */
      readonly reason: string;
      /**
       * message is a sentence for people; it may be empty.
       */
      readonly message: string;
    }[];
    /**
     * observedGeneration is the metadata.generation that this status speaks of.
     */
    readonly observedGeneration?: number;
    /**
     * url is where callers inside the cluster reach the function.
     */
    readonly url?: string;
    /**
     * latestCreatedRevision is the newest revision's name.
     */
    readonly latestCreatedRevision?: string;
    /**
     * latestReadyRevision is the name of the newest revision that was ever ready.
     */
    readonly latestReadyRevision?: string;
    /**
     * replicas is how many pods of all revisions are ready.
     */
    readonly replicas?: number;
    /**
     * desiredReplicas is how many pods of all revisions the autoscaler wants.
     */
    readonly desiredReplicas?: number;
    /**
     * traffic is how requests are really shared, with each revision by its name.
     */
    readonly traffic?: readonly {
      /**
       * revision is the revision's name.
       */
      readonly revision: string;
      /**
       * percent of the requests that go to the revision.
       */
      readonly percent: number;
      /**
       * tag as in spec.traffic.
       */
      readonly tag?: string;
      /**
       * url is where the tag is reached.
       */
      readonly url?: string;
    }[];
    /**
     * model is what was found out about the model of the latest ready revision.
     */
    readonly model?: {
      /**
       * sha256 is the digest of the model file, to be pinned in spec.model.sha256.
       */
      readonly sha256: string;
      /**
       * sizeBytes is the size of the model file.
       */
      readonly sizeBytes: number;
      /**
       * inputs of the model, in its order.
       */
      readonly inputs: readonly {
        /**
         * name of the tensor.
         */
        readonly name: string;
        /**
         * datatype is the Open Inference Protocol's name, for example FP32.
         */
        readonly datatype: string;
        /**
         * shape of the tensor, -1 for a dimension of any size.
         */
        readonly shape: readonly number[];
      }[];
      /**
       * outputs of the model, in its order.
       */
      readonly outputs: readonly {
        /**
         * name of the tensor.
         */
        readonly name: string;
        /**
         * datatype is the Open Inference Protocol's name, for example FP32.
         */
        readonly datatype: string;
        /**
         * shape of the tensor, -1 for a dimension of any size.
         */
        readonly shape: readonly number[];
      }[];
      /**
       * batching is whether requests are joined into one run.
       */
      readonly batching: {
        /**
         * enabled is whether they are.
         */
        readonly enabled: boolean;
        /**
         * reason says why, or why not.
         */
        readonly reason: string;
      };
    };
  };
}

/**
 * ModelFunction is an ONNX model that is served by the Open Inference Protocol and scaled by demand, down to nothing when nobody calls.
 *
 * As people write it: what has a default may be left out.
 */
export interface ModelFunctionManifest {
  readonly apiVersion: 'pilotlight.dev/v1alpha1';
  readonly kind: 'ModelFunction';
  readonly metadata: ObjectMeta;
  /**
   * spec is what is wanted. A change of model, runtime, batching, resources or pod makes a new revision; everything else takes effect on the living ones.
   */
  readonly spec: {
    /**
     * model says where the model comes from.
     */
    readonly model: {
      /**
       * uri is where the model is fetched from, with one of the schemes s3, gs, https, http, hf, pvc, oci and file: s3://bucket/path/model.onnx, hf://organisation/model[@revision][/path], pvc://claim/path, oci://registry/repository:tag. It names an ONNX file, a folder with one (in Triton's layout, or with a single .onnx) or an archive (tar, tar.gz, zip); files that the model keeps weights in are fetched too. A path after file: that does not start with "/" is relative to the manifest in local mode, and to the working directory of the runtime's image in a cluster.
       */
      readonly uri: string;
      /**
       * sha256 pins the model. It is verified before the model is loaded, and another is never served. Of a single ONNX file it is the file's SHA-256, of an archive the archive's, and of a model that keeps weights in other files the SHA-256 of the listing that sha256sum prints of them, sorted by name.
       */
      readonly sha256?: string;
      /**
       * secretName names a Secret of the same namespace with what uri needs, under the usual names: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_REGION, AWS_ENDPOINT_URL; GOOGLE_APPLICATION_CREDENTIALS_JSON; HF_TOKEN; token, or username and password, for http and https; ca.crt for an authority of one's own.
       */
      readonly secretName?: string;
    };
    /**
     * runtime configures the process that runs the model.
     */
    readonly runtime?: {
      /**
       * executionProviders lists ONNX Runtime's execution providers in order of preference. One that the pod does not have is skipped if CPU comes after it; otherwise the revision fails. Without it, CUDA and CPU if resources ask for an nvidia.com GPU, else CPU.
       */
      readonly executionProviders?: readonly ('CPU' | 'CUDA' | 'TensorRT' | 'WebGPU' | 'CoreML' | 'DirectML')[];
      /**
       * instances is how many copies of the model a pod loads, each with a thread of its own, so that many requests or batches run at once. Without it, one.
       */
      readonly instances?: number;
      /**
       * intraOpThreads is how many threads one run of the model uses. Without it, the CPU limit divided by instances.
       */
      readonly intraOpThreads?: number;
      /**
       * session sets options of ONNX Runtime's sessions. Each has the default that suits most models; what ONNX Runtime for Node ignores without a word (fixed sizes for free dimensions, memory limits of a GPU) is not among them.
       */
      readonly session?: {
        /**
         * graphOptimizationLevel is how far the graph is rewritten when the model is loaded. Without it, All.
         */
        readonly graphOptimizationLevel?: 'Disabled' | 'Basic' | 'Extended' | 'Layout' | 'All';
        /**
         * interOpThreads is how many parts of the graph may run at the same time, each with intraOpThreads of its own; it helps graphs of several branches only. Without it, 1.
         */
        readonly interOpThreads?: number;
        /**
         * memoryArena keeps memory for the next run, and its layout for shapes seen before. Disabled saves memory where shapes vary, at a few percent of speed. Without it, Enabled.
         */
        readonly memoryArena?: 'Enabled' | 'Disabled';
        /**
         * prepacking lays weights out anew for faster runs when the model is loaded. Disabled loads large models sooner and in less memory, above all with external data, and makes runs of single rows 20 to 35 % slower. Without it, Enabled.
         */
        readonly prepacking?: 'Enabled' | 'Disabled';
        /**
         * spinning lets threads of a run wait actively for the next part. It helps small models with CPUs of their own, and burns the quota of a CPU limit. It matters if intraOpThreads is above 1. Without it, Disabled.
         */
        readonly spinning?: 'Enabled' | 'Disabled';
        /**
         * deviceId is the GPU that CUDA and TensorRT use, counted from 0 among those that the container has. Without it, 0.
         */
        readonly deviceId?: number;
      };
      /**
       * image is the container image of the runtime. Without it, the operator's at the time the revision is created.
       */
      readonly image?: string;
      /**
       * env adds environment variables to the runtime's container.
       */
      readonly env?: readonly {
        /**
         * name of the variable.
         */
        readonly name: string;
        /**
         * value of the variable, as it is.
         */
        readonly value?: string;
        /**
         * valueFrom says where the value comes from.
         */
        readonly valueFrom?: {
          /**
           * secretKeyRef takes the value from a Secret of the same namespace.
           */
          readonly secretKeyRef: {
            /**
             * name of the Secret.
             */
            readonly name: string;
            /**
             * key in the Secret's data.
             */
            readonly key: string;
          };
        };
      }[];
    };
    /**
     * batching joins requests that wait for the model into one run. It is only done where the model allows it; the status says why not.
     */
    readonly batching?: {
      /**
       * mode says whether requests share runs: Auto where it is right, and up to the size to which a measurement after the start shows that it pays; On where it is right, up to maxBatchSize; Off never. Without it, Auto.
       */
      readonly mode?: 'Auto' | 'On' | 'Off';
      /**
       * maxBatchSize is the most rows of one run; 1 turns batching off. Without it, 32.
       */
      readonly maxBatchSize?: number;
      /**
       * maxDelayMilliseconds is how long a free model waits for more requests before it runs. Without it, 0: a batch is what queued up while the last one ran.
       */
      readonly maxDelayMilliseconds?: number;
    };
    /**
     * resources of the runtime's container, as in a Pod. Extended resources such as nvidia.com/gpu belong into limits.
     */
    readonly resources?: {
      /**
       * limits by resource name, for example cpu, memory, nvidia.com/gpu.
       */
      readonly limits?: {
        readonly [k: string]: number | string;
      };
      /**
       * requests by resource name; a resource without one requests its limit.
       */
      readonly requests?: {
        readonly [k: string]: number | string;
      };
    };
    /**
     * pod says where and as whom the pods run, as in a Pod.
     */
    readonly pod?: {
      /**
       * nodeSelector lists labels that a node must have.
       */
      readonly nodeSelector?: {
        readonly [k: string]: string;
      };
      /**
       * tolerations lists taints of nodes that the pods bear.
       */
      readonly tolerations?: readonly {
        /**
         * key of the taint.
         */
        readonly key?: string;
        /**
         * operator is Equal (the key and its value) or Exists (the key with any value). Without it, Equal.
         */
        readonly operator?: 'Equal' | 'Exists';
        /**
         * value of the taint.
         */
        readonly value?: string;
        /**
         * effect of the taint. Without it, every effect.
         */
        readonly effect?: 'NoSchedule' | 'PreferNoSchedule' | 'NoExecute';
        /**
         * tolerationSeconds is how long a NoExecute taint is borne. Without it, for ever.
         */
        readonly tolerationSeconds?: number;
      }[];
      /**
       * affinity of the pods to nodes and to other pods, as in a Pod.
       */
      readonly affinity?: {
        /**
         * nodeAffinity as in a Pod.
         */
        readonly nodeAffinity?: Record<string, unknown>;
        /**
         * podAffinity as in a Pod.
         */
        readonly podAffinity?: Record<string, unknown>;
        /**
         * podAntiAffinity as in a Pod.
         */
        readonly podAntiAffinity?: Record<string, unknown>;
      };
      /**
       * serviceAccountName names the ServiceAccount of the pods; its token is not mounted.
       */
      readonly serviceAccountName?: string;
      /**
       * priorityClassName names the PriorityClass of the pods.
       */
      readonly priorityClassName?: string;
      /**
       * runtimeClassName names the RuntimeClass of the pods, for example nvidia.
       */
      readonly runtimeClassName?: string;
    };
    /**
     * scaling says how many pods run for how much demand.
     */
    readonly scaling?: {
      /**
       * minReplicas is how many pods always run; 0 lets an idle function cost nothing.
       */
      readonly minReplicas?: number;
      /**
       * maxReplicas is the most pods that run at once.
       */
      readonly maxReplicas?: number;
      /**
       * metric is what target counts: Concurrency is requests in flight and queued at once, RequestsPerSecond is requests that arrive in a second, for requests that all take the same short time.
       */
      readonly metric?: 'Concurrency' | 'RequestsPerSecond';
      /**
       * target is the metric that one pod should carry; the autoscaler keeps demand divided by target as the number of pods. Without it, 8 for Concurrency and 200 for RequestsPerSecond. A lower concurrencyLimit takes its place for Concurrency.
       */
      readonly target?: number;
      /**
       * stableWindowSeconds is how far back demand is averaged; without demand for that long, the function scales to zero.
       */
      readonly stableWindowSeconds?: number;
      /**
       * panicWindowPercentage is the share of the stable window in which a burst is looked for.
       */
      readonly panicWindowPercentage?: number;
      /**
       * panicThresholdPercentage of what the ready pods should carry is a burst: from then the panic window decides, and nothing scales down until a stable window has passed.
       */
      readonly panicThresholdPercentage?: number;
      /**
       * metricAggregationAlgorithm is how windows are averaged: Linear counts each second alike, WeightedExponential counts newer seconds more, and follows a change sooner.
       */
      readonly metricAggregationAlgorithm?: 'Linear' | 'WeightedExponential';
      /**
       * maxScaleUpRatePercentage bounds one decision upwards, to so many percent of the pods that are ready or start: with 200, from 3 to 6. Decisions are 2 s apart.
       */
      readonly maxScaleUpRatePercentage?: number;
      /**
       * maxScaleDownRatePercentage bounds one decision downwards, to the pods that are ready or start, divided by so many percent: with 200, from 6 to 3. Decisions are 2 s apart.
       */
      readonly maxScaleDownRatePercentage?: number;
      /**
       * scaleDownDelaySeconds is how long lower demand must last before pods are removed.
       */
      readonly scaleDownDelaySeconds?: number;
      /**
       * scaleToZeroRetentionSeconds is how long the last pod stays after the function could scale to zero.
       */
      readonly scaleToZeroRetentionSeconds?: number;
      /**
       * initialReplicas is how many pods a new revision starts to prove itself, with or without demand.
       */
      readonly initialReplicas?: number;
      /**
       * activationReplicas is how many pods start when demand wakes the function from zero.
       */
      readonly activationReplicas?: number;
      /**
       * startTimeoutSeconds is how long a pod may take to become ready before its revision counts as failed.
       */
      readonly startTimeoutSeconds?: number;
      /**
       * maxUnschedulable is how many pods of a revision may wait for a node at once; a waiting pod is what node autoscalers act on.
       */
      readonly maxUnschedulable?: number;
      /**
       * priority says who comes first where budgets of the installation bound a resource, such as GPUs: a higher one goes ahead in line, and gets the idle replicas of lower ones. It says nothing to the scheduler; pod.priorityClassName does.
       */
      readonly priority?: number;
    };
    /**
     * concurrencyLimit is the most requests that one pod takes at once, a hard limit; 0 for none.
     */
    readonly concurrencyLimit?: number;
    /**
     * timeoutSeconds is how long a request may take in a pod; its wait in the queue does not count.
     */
    readonly timeoutSeconds?: number;
    /**
     * queue bounds the requests that wait for a pod, in each gateway.
     */
    readonly queue?: {
      /**
       * maxRequests is how many requests wait at most; one more is answered 429.
       */
      readonly maxRequests?: number;
      /**
       * maxBytes is how many bytes of bodies wait at most; a request above it is answered 429.
       */
      readonly maxBytes?: number;
      /**
       * timeoutSeconds is how long a request waits at most; then it is answered 503.
       */
      readonly timeoutSeconds?: number;
    };
    /**
     * visibility is Cluster (callers inside the cluster) or External (also the gateway's external listener).
     */
    readonly visibility?: 'Cluster' | 'External';
    /**
     * rollout says how a new revision replaces the old one.
     */
    readonly rollout?: {
      /**
       * strategy is Surge (the new revision starts beside the old one, which serves until the new one is ready) or Recreate (the old one is stopped first, for where there is no second GPU).
       */
      readonly strategy?: 'Surge' | 'Recreate';
    };
    /**
     * revisionHistoryLimit is how many revisions without traffic are kept, to go back to.
     */
    readonly revisionHistoryLimit?: number;
    /**
     * traffic shares requests among revisions.
     */
    readonly traffic?: readonly {
      /**
       * revision is the name of a revision, or latest for the newest that is ready.
       */
      readonly revision: string;
      /**
       * percent of the requests that go to the revision.
       */
      readonly percent?: number;
      /**
       * tag gives the revision a host name of its own, <tag>--<function>, whatever its percent.
       */
      readonly tag?: string;
    }[];
  };
  /**
   * status is what was observed; only the operator writes it.
   */
  readonly status?: {
    /**
     * conditions of the function by type; Ready sums them up. A function at zero replicas is Ready with Active False.
     */
    readonly conditions?: readonly {
      /**
       * type of the condition.
       */
      readonly type: string;
      /**
       * status is True, False or Unknown.
       */
      readonly status: 'True' | 'False' | 'Unknown';
      /**
       * observedGeneration is the metadata.generation that the condition speaks of.
       */
      readonly observedGeneration?: number;
      /**
       * lastTransitionTime is when the status last changed.
       */
      readonly lastTransitionTime: string;
      /**
       * reason is one word for programs.
       */
      readonly reason: string;
      /**
       * message is a sentence for people; it may be empty.
       */
      readonly message: string;
    }[];
    /**
     * observedGeneration is the metadata.generation that this status speaks of.
     */
    readonly observedGeneration?: number;
    /**
     * url is where callers inside the cluster reach the function.
     */
    readonly url?: string;
    /**
     * latestCreatedRevision is the newest revision's name.
     */
    readonly latestCreatedRevision?: string;
    /**
     * latestReadyRevision is the name of the newest revision that was ever ready.
     */
    readonly latestReadyRevision?: string;
    /**
     * replicas is how many pods of all revisions are ready.
     */
    readonly replicas?: number;
    /**
     * desiredReplicas is how many pods of all revisions the autoscaler wants.
     */
    readonly desiredReplicas?: number;
    /**
     * traffic is how requests are really shared, with each revision by its name.
     */
    readonly traffic?: readonly {
      /**
       * revision is the revision's name.
       */
      readonly revision: string;
      /**
       * percent of the requests that go to the revision.
       */
      readonly percent: number;
      /**
       * tag as in spec.traffic.
       */
      readonly tag?: string;
      /**
       * url is where the tag is reached.
       */
      readonly url?: string;
    }[];
    /**
     * model is what was found out about the model of the latest ready revision.
     */
    readonly model?: {
      /**
       * sha256 is the digest of the model file, to be pinned in spec.model.sha256.
       */
      readonly sha256: string;
      /**
       * sizeBytes is the size of the model file.
       */
      readonly sizeBytes: number;
      /**
       * inputs of the model, in its order.
       */
      readonly inputs: readonly {
        /**
         * name of the tensor.
         */
        readonly name: string;
        /**
         * datatype is the Open Inference Protocol's name, for example FP32.
         */
        readonly datatype: string;
        /**
         * shape of the tensor, -1 for a dimension of any size.
         */
        readonly shape: readonly number[];
      }[];
      /**
       * outputs of the model, in its order.
       */
      readonly outputs: readonly {
        /**
         * name of the tensor.
         */
        readonly name: string;
        /**
         * datatype is the Open Inference Protocol's name, for example FP32.
         */
        readonly datatype: string;
        /**
         * shape of the tensor, -1 for a dimension of any size.
         */
        readonly shape: readonly number[];
      }[];
      /**
       * batching is whether requests are joined into one run.
       */
      readonly batching: {
        /**
         * enabled is whether they are.
         */
        readonly enabled: boolean;
        /**
         * reason says why, or why not.
         */
        readonly reason: string;
      };
    };
  };
}
