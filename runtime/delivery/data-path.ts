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

/** No file may be where another, or a folder of another, must be. Throws StartError ModelInvalid. */
export function requireDistinct(paths: readonly string[]): void {
  const taken = new Set(paths);
  const folders = new Set(paths.flatMap((path) => [...path.matchAll(/\//g)].map(({ index }) => path.slice(0, index))));
  const clash = taken.size < paths.length ? paths[0] : paths.find((path) => folders.has(path));
  if (clash === undefined) return;
  throw new StartError(
    'ModelInvalid',
    `The model keeps weights in ${JSON.stringify(clash)}, where another of its files or folders is.`,
  );
}
