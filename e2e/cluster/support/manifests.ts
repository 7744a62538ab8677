/** Manifests as users write them, with windows that a test can wait for. */
import type { ModelFunctionManifest } from '../../../common/api/kinds.ts';
import { API_VERSION } from '../../../common/api/names.ts';

type Spec = ModelFunctionManifest['spec'];

/** In the runtime's image, so that no test needs a network. */
export const DIGITS_URI = 'file:/opt/pilotlight/examples/digits/model.onnx';

export const STABLE_WINDOW_SECONDS = 6;

/** The digits example with the shortest windows; a part of the spec that is given is laid over it. */
export function modelFunction(name: string, { model, scaling, ...spec }: Partial<Spec> = {}): ModelFunctionManifest {
  return {
    apiVersion: API_VERSION,
    kind: 'ModelFunction',
    metadata: { name },
    spec: {
      model: { uri: DIGITS_URI, ...model },
      // Little enough that many fit on a small node, whose processors are shared by all that are not idle.
      resources: { requests: { cpu: '10m', memory: '64Mi' }, limits: { memory: '512Mi' } },
      scaling: { stableWindowSeconds: STABLE_WINDOW_SECONDS, ...scaling },
      ...spec,
    },
  };
}
