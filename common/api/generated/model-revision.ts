// Generated from crds/pilotlight.dev_modelrevisions.yaml by scripts/generate.ts; change that file and run make generate.

import type { ObjectMeta } from '../object.ts';

/**
 * ModelRevision is an immutable snapshot of the part of a ModelFunction that its pods are made from. The operator creates and deletes revisions; people change the function.
 *
 * As an API server stores it: what has a default is there.
 */
export interface ModelRevision {
  readonly apiVersion: 'pilotlight.dev/v1alpha1';
  readonly kind: 'ModelRevision';
  readonly metadata: ObjectMeta;
  /**
   * spec is what the pods are made from; only replicas may change.
   */
  readonly spec: {
    /**
     * functionName is the name of the ModelFunction.
     */
    readonly functionName: string;
    /**
     * replicas is the autoscaler's decision, kept here for printing and for PodDisruptionBudgets. The autoscaler overwrites it; people scale by minReplicas and maxReplicas of the function.
     */
    readonly replicas: number;
    /**
     * template is what the user set, word for word. The operator makes a new revision if and only if this would differ.
     */
    readonly template: {
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
    };
    /**
     * resolved is template with every default filled in at the revision's creation, the image included, so that a later operator with other defaults changes no pod.
     */
    readonly resolved: {
      /**
       * model as the pods get it.
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
       * runtime as the pods get it.
       */
      readonly runtime: {
        /**
         * executionProviders lists ONNX Runtime's execution providers in order of preference. One that the pod does not have is skipped if CPU comes after it; otherwise the revision fails. Without it, CUDA and CPU if resources ask for an nvidia.com GPU, else CPU.
         */
        readonly executionProviders: readonly ('CPU' | 'CUDA' | 'TensorRT' | 'WebGPU' | 'CoreML' | 'DirectML')[];
        /**
         * instances is how many copies of the model a pod loads, each with a thread of its own, so that many requests or batches run at once. Without it, one.
         */
        readonly instances: number;
        /**
         * intraOpThreads is how many threads one run of the model uses. Without it, the CPU limit divided by instances.
         */
        readonly intraOpThreads: number;
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
        readonly image: string;
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
       * batching as the pods get it.
       */
      readonly batching: {
        /**
         * mode says whether requests share runs: Auto where it is right, and up to the size to which a measurement after the start shows that it pays; On where it is right, up to maxBatchSize; Off never. Without it, Auto.
         */
        readonly mode?: 'Auto' | 'On' | 'Off';
        /**
         * maxBatchSize is the most rows of one run; 1 turns batching off. Without it, 32.
         */
        readonly maxBatchSize: number;
        /**
         * maxDelayMilliseconds is how long a free model waits for more requests before it runs. Without it, 0: a batch is what queued up while the last one ran.
         */
        readonly maxDelayMilliseconds: number;
      };
      /**
       * resources as the pods get it.
       */
      readonly resources: {
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
       * pod as the pods get it.
       */
      readonly pod: {
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
    };
  };
  /**
   * status is what was observed; only the operator writes it.
   */
  readonly status?: {
    /**
     * conditions of the revision by type; Ready sums them up. A revision at zero replicas is Ready with Active False.
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
     * replicas is how many pods exist, those that start or end included.
     */
    readonly replicas?: number;
    /**
     * readyReplicas is how many pods are ready.
     */
    readonly readyReplicas?: number;
    /**
     * desiredReplicas is how many pods the autoscaler wants.
     */
    readonly desiredReplicas?: number;
    /**
     * selector finds the revision's pods, for the scale subresource.
     */
    readonly selector?: string;
    /**
     * mode of the autoscaler, Stable or Panic.
     */
    readonly mode?: 'Stable' | 'Panic';
    /**
     * wokenAt is when the desired replicas last left zero; absent at zero. It bounds how long a start may take, whoever leads meanwhile.
     */
    readonly wokenAt?: string;
    /**
     * startMilliseconds is how long a pod takes from its creation until it is ready, by the median of the last few starts; absent before the first.
     */
    readonly startMilliseconds?: number;
    /**
     * executionProviders are those in use, in order of preference; fewer than spec.resolved lists where one is not there.
     */
    readonly executionProviders?: readonly string[];
    /**
     * lastFailure is the latest failure of a pod; it stays after a recovery.
     */
    readonly lastFailure?: {
      /**
       * reason is one word for programs.
       */
      readonly reason: string;
      /**
       * message is a sentence for people.
       */
      readonly message: string;
      /**
       * time of the failure.
       */
      readonly time: string;
    };
    /**
     * model is what was found out about the model when a pod loaded it.
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
 * ModelRevision is an immutable snapshot of the part of a ModelFunction that its pods are made from. The operator creates and deletes revisions; people change the function.
 *
 * As people write it: what has a default may be left out.
 */
export interface ModelRevisionManifest {
  readonly apiVersion: 'pilotlight.dev/v1alpha1';
  readonly kind: 'ModelRevision';
  readonly metadata: ObjectMeta;
  /**
   * spec is what the pods are made from; only replicas may change.
   */
  readonly spec: {
    /**
     * functionName is the name of the ModelFunction.
     */
    readonly functionName: string;
    /**
     * replicas is the autoscaler's decision, kept here for printing and for PodDisruptionBudgets. The autoscaler overwrites it; people scale by minReplicas and maxReplicas of the function.
     */
    readonly replicas?: number;
    /**
     * template is what the user set, word for word. The operator makes a new revision if and only if this would differ.
     */
    readonly template: {
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
    };
    /**
     * resolved is template with every default filled in at the revision's creation, the image included, so that a later operator with other defaults changes no pod.
     */
    readonly resolved: {
      /**
       * model as the pods get it.
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
       * runtime as the pods get it.
       */
      readonly runtime: {
        /**
         * executionProviders lists ONNX Runtime's execution providers in order of preference. One that the pod does not have is skipped if CPU comes after it; otherwise the revision fails. Without it, CUDA and CPU if resources ask for an nvidia.com GPU, else CPU.
         */
        readonly executionProviders: readonly ('CPU' | 'CUDA' | 'TensorRT' | 'WebGPU' | 'CoreML' | 'DirectML')[];
        /**
         * instances is how many copies of the model a pod loads, each with a thread of its own, so that many requests or batches run at once. Without it, one.
         */
        readonly instances: number;
        /**
         * intraOpThreads is how many threads one run of the model uses. Without it, the CPU limit divided by instances.
         */
        readonly intraOpThreads: number;
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
        readonly image: string;
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
       * batching as the pods get it.
       */
      readonly batching: {
        /**
         * mode says whether requests share runs: Auto where it is right, and up to the size to which a measurement after the start shows that it pays; On where it is right, up to maxBatchSize; Off never. Without it, Auto.
         */
        readonly mode?: 'Auto' | 'On' | 'Off';
        /**
         * maxBatchSize is the most rows of one run; 1 turns batching off. Without it, 32.
         */
        readonly maxBatchSize: number;
        /**
         * maxDelayMilliseconds is how long a free model waits for more requests before it runs. Without it, 0: a batch is what queued up while the last one ran.
         */
        readonly maxDelayMilliseconds: number;
      };
      /**
       * resources as the pods get it.
       */
      readonly resources: {
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
       * pod as the pods get it.
       */
      readonly pod: {
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
    };
  };
  /**
   * status is what was observed; only the operator writes it.
   */
  readonly status?: {
    /**
     * conditions of the revision by type; Ready sums them up. A revision at zero replicas is Ready with Active False.
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
     * replicas is how many pods exist, those that start or end included.
     */
    readonly replicas?: number;
    /**
     * readyReplicas is how many pods are ready.
     */
    readonly readyReplicas?: number;
    /**
     * desiredReplicas is how many pods the autoscaler wants.
     */
    readonly desiredReplicas?: number;
    /**
     * selector finds the revision's pods, for the scale subresource.
     */
    readonly selector?: string;
    /**
     * mode of the autoscaler, Stable or Panic.
     */
    readonly mode?: 'Stable' | 'Panic';
    /**
     * wokenAt is when the desired replicas last left zero; absent at zero. It bounds how long a start may take, whoever leads meanwhile.
     */
    readonly wokenAt?: string;
    /**
     * startMilliseconds is how long a pod takes from its creation until it is ready, by the median of the last few starts; absent before the first.
     */
    readonly startMilliseconds?: number;
    /**
     * executionProviders are those in use, in order of preference; fewer than spec.resolved lists where one is not there.
     */
    readonly executionProviders?: readonly string[];
    /**
     * lastFailure is the latest failure of a pod; it stays after a recovery.
     */
    readonly lastFailure?: {
      /**
       * reason is one word for programs.
       */
      readonly reason: string;
      /**
       * message is a sentence for people.
       */
      readonly message: string;
      /**
       * time of the failure.
       */
      readonly time: string;
    };
    /**
     * model is what was found out about the model when a pod loaded it.
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
