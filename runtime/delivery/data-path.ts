import { StartError } from '../inference.ts';
import { safePath } from './safe-path.ts';

/** The path of a file that a model keeps weights in, relative to the model's folder. Throws StartError ModelInvalid for any other, as ONNX Runtime would. */
export function requireDataPath(location: string): string {
  const path = safePath(location);
  if (path !== undefined && path === location.replace(/^(?:\.\/)+/, '')) return path;
  throw new StartError(
    'ModelInvalid',
    `The model keeps weights in ${JSON.stringify(location.slice(0, 200))}, which is no path below its own folder.`,
  );
}
