/**
 * Fills in what the user left out of a revision's part. It is done once, when the revision is made, and kept in it: a later operator or chart with other
 * defaults changes no revision that exists.
 */
import type { ExecutionProvider, ResolvedTemplate, RevisionTemplate } from './kinds.ts';
import { parseQuantity } from './quantity.ts';

export interface RuntimeImages {
  /** For a revision without GPU. */
  readonly cpu: string;
  /** For a revision that lists CUDA or TensorRT. */
  readonly cuda: string;
}

type Quantities = Readonly<Record<string, number | string>>;

const GPU = 'nvidia.com/gpu';
const MAX_BATCH_SIZE = 32;
/** The most that spec.runtime.intraOpThreads may be. */
const MAX_THREADS = 256;

/** Resolving what is resolved already changes nothing. */
export function resolveTemplate(template: RevisionTemplate, images: RuntimeImages): ResolvedTemplate {
  const { model, runtime = {}, batching = {}, resources = {}, pod = {} } = template;
  const executionProviders = runtime.executionProviders ?? defaultProviders(resources.limits);
  const instances = runtime.instances ?? 1;
  const cpus = amount(resources.limits?.['cpu']);
  return {
    model,
    runtime: {
      executionProviders,
      instances,
      intraOpThreads: runtime.intraOpThreads ?? Math.min(MAX_THREADS, Math.max(1, Math.floor(cpus / instances))),
      image: runtime.image ?? (usesCuda(executionProviders) ? images.cuda : images.cpu),
      ...(runtime.env === undefined ? {} : { env: runtime.env }),
      // Its defaults are those of the image, which is resolved here as well.
      ...(runtime.session === undefined ? {} : { session: runtime.session }),
    },
    batching: {
      mode: batching.mode ?? 'Auto',
      maxBatchSize: batching.maxBatchSize ?? MAX_BATCH_SIZE,
      maxDelayMilliseconds: batching.maxDelayMilliseconds ?? 0,
    },
    resources,
    pod,
  };
}

function defaultProviders(limits: Quantities | undefined): readonly ExecutionProvider[] {
  return amount(limits?.[GPU]) > 0 ? ['CUDA', 'CPU'] : ['CPU'];
}

function usesCuda(providers: readonly ExecutionProvider[]): boolean {
  return providers.includes('CUDA') || providers.includes('TensorRT');
}

/** Of a quantity such as 2, "2", "0.5" or "1500m"; 0 where there is none. */
function amount(quantity: number | string | undefined): number {
  return Number(parseQuantity(String(quantity ?? 0)) ?? 0) / 1e9;
}
