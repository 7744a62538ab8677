/** The names of execution providers as people write them, and as ONNX Runtime for Node takes them. */
import { nearest } from '../../common/text/nearest.ts';
import { StartError } from '../inference.ts';

const PROVIDERS = { CPU: 'cpu', CUDA: 'cuda', TensorRT: 'tensorrt' } as const;
export type ExecutionProvider = keyof typeof PROVIDERS;
export type RuntimeProvider = (typeof PROVIDERS)[ExecutionProvider];

/** Throws StartError ConfigurationInvalid for a name that does not exist, or an empty list. */
export function parseExecutionProviders(names: readonly string[]): ExecutionProvider[] {
  const known = Object.keys(PROVIDERS).join(', ');
  if (names.length === 0) {
    throw new StartError('ConfigurationInvalid', `executionProviders is empty; it must name at least one of ${known}.`);
  }
  return names.map((name) => {
    if (!isExecutionProvider(name)) {
      const near = nearest(name, Object.keys(PROVIDERS));
      throw new StartError(
        'ConfigurationInvalid',
        `There is no execution provider "${name}"${near === undefined ? '' : `; did you mean "${near}"?`} There are ${known}.`,
      );
    }
    return name;
  });
}

export function runtimeProvider(provider: ExecutionProvider): RuntimeProvider {
  return PROVIDERS[provider];
}

function isExecutionProvider(name: string): name is ExecutionProvider {
  return Object.hasOwn(PROVIDERS, name);
}
