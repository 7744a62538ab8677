/** Models on a PersistentVolumeClaim: what operator and runtime both must read in `pvc://claim/path/model.onnx`. */

/** Where the claim of the model is mounted in a runtime pod, for reading alone. */
export const MODEL_CLAIM_DIRECTORY = '/mnt/model';

export interface ModelClaim {
  /** Name of the claim, in the function's namespace. */
  readonly claim: string;
  /** Within it: `/path/model.onnx` or a folder, without a way out. */
  readonly path: string;
}

/** Undefined for a URI that names nothing on a claim. */
export function parseModelClaim(uri: string): ModelClaim | undefined {
  const [, claim = '', rest = ''] = /^pvc:\/\/([^/]*)(\/.*)$/i.exec(uri) ?? [];
  if (claim.length > 253 || !/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/.test(claim)) return undefined;
  let path: string;
  try {
    path = decodeURIComponent(rest);
  } catch {
    return undefined;
  }
  if (path.includes('\0') || path.split('/').includes('..')) return undefined;
  return { claim, path };
}
