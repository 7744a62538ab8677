/**
 * Fills in what the user left out of a revision's part. It is done once, when the revision is made, and kept in it: a later operator or chart with other
 * defaults changes no revision that exists.
 */
import type { ExecutionProvider, ResolvedTemplate, RevisionTemplate } from './kinds.ts';

export interface RuntimeImages {
  /** For a revision without GPU. */
  readonly cpu: string;
  /** For a revision that lists CUDA or TensorRT. */
  readonly cuda: string;
}

type Quantities = Readonly<Record<string, number | string>>;

const GPU = 'nvidia.com/gpu';
const MAX_BATCH_SIZE = 32;

/** Resolving what is resolved already changes nothing. */
export function resolveTemplate(template: RevisionTemplate, images: RuntimeImages): ResolvedTemplate {
  const { model, runtime = {}, batching = {}, resources = {}, pod = {} } = template;
  const executionProviders = runtime.executionProviders ?? defaultProviders(resources.limits);
  const instances = runtime.instances ?? 1;
  const cpus = parseCpus(resources.limits?.['cpu']);
  return {
    model,
    runtime: {
      executionProviders,
      instances,
      intraOpThreads: runtime.intraOpThreads ?? Math.max(1, Math.floor(cpus / instances)),
      image: runtime.image ?? (usesCuda(executionProviders) ? images.cuda : images.cpu),
      ...(runtime.env === undefined ? {} : { env: runtime.env }),
    },
    batching: {
      maxBatchSize: batching.maxBatchSize ?? MAX_BATCH_SIZE,
      maxDelayMilliseconds: batching.maxDelayMilliseconds ?? 0,
    },
    resources,
    pod,
  };
}

function defaultProviders(limits: Quantities | undefined): readonly ExecutionProvider[] {
  return Number(limits?.[GPU] ?? 0) > 0 ? ['CUDA', 'CPU'] : ['CPU'];
}

function usesCuda(providers: readonly ExecutionProvider[]): boolean {
  return providers.includes('CUDA') || providers.includes('TensorRT');
}

/** CPUs of a quantity such as 2, "2", "0.5" or "1500m"; 0 for none and for notations that nobody uses for CPUs. */
function parseCpus(quantity: number | string | undefined): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)(m?)$/.exec(String(quantity ?? '')) ?? [];
  return number === undefined ? 0 : Number(number) / (unit === 'm' ? 1000 : 1);
}
