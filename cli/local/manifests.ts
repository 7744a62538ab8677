/** What manifest files hold, and what an edit of them changed. Pure. */
import { dirname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { ModelFunction } from '../../common/api/kinds.ts';
import { formatFinding, validateManifests } from '../validate/validate-manifests.ts';
import { parseYaml } from '../validate/yaml-documents.ts';
import type { ManifestFile } from './manifest-files.ts';

/** The namespace of a manifest that names none, as kubectl has it. */
export const DEFAULT_NAMESPACE = 'default';

/** Functions by `namespace/name`. They are as people write them; the cluster adds the defaults. */
export type Manifests = ReadonlyMap<string, ModelFunction>;

export interface ManifestReading {
  readonly manifests: Manifests;
  /** Lines for a person. With an error among them nothing of the files is to be applied. */
  readonly findings: readonly string[];
  readonly valid: boolean;
}

/** Other kinds than ModelFunction are left out, with a finding that says so. */
export function readManifests(files: readonly ManifestFile[]): ManifestReading {
  const findings = validateManifests(files);
  const valid = !findings.some(({ severity }) => severity === 'error');
  const manifests = new Map<string, ModelFunction>();
  const places = new Map<string, string>();
  const repeated: string[] = [];
  for (const file of valid ? files : []) {
    for (const fn of functionsOf(file)) {
      const key = `${fn.metadata.namespace}/${fn.metadata.name}`;
      const place = places.get(key);
      if (place !== undefined) repeated.push(`${file.path}: ModelFunction ${key} replaces the one in ${place}`);
      manifests.set(key, fn);
      places.set(key, file.path);
    }
  }
  return { manifests, findings: [...findings.map(formatFinding), ...repeated], valid };
}

export interface Changes {
  readonly apply: readonly ModelFunction[];
  readonly remove: readonly ModelFunction[];
}

export function manifestChanges(before: Manifests, after: Manifests): Changes {
  const apply = [...after].filter(([key, object]) => JSON.stringify(before.get(key)) !== JSON.stringify(object));
  const remove = [...before].filter(([key]) => !after.has(key));
  return { apply: apply.map(([, object]) => object), remove: remove.map(([, object]) => object) };
}

function functionsOf({ path, text }: ManifestFile): ModelFunction[] {
  const yaml = parseYaml(text);
  if (!('documents' in yaml)) return [];
  return yaml.documents
    .map(({ value }) => value as ModelFunction)
    .filter(({ kind }) => (kind as string) === 'ModelFunction')
    .map((manifest) => located(manifest, path));
}

/**
 * In a namespace, and with a relative `file:` address made absolute, from the folder of its manifest. (In a cluster it is one in the
 * working directory of the runtime's image.)
 */
function located(manifest: ModelFunction, file: string): ModelFunction {
  const { model } = manifest.spec;
  return {
    ...manifest,
    metadata: { ...manifest.metadata, namespace: manifest.metadata.namespace ?? DEFAULT_NAMESPACE },
    spec: { ...manifest.spec, model: { ...model, uri: absolute(model.uri, dirname(resolve(file))) } },
  };
}

/** `file:model.onnx` → `file:///folder/model.onnx`; everything else as it is. */
function absolute(uri: string, folder: string): string {
  const path = /^file:(?!\/)(.+)$/.exec(uri)?.[1];
  return path === undefined ? uri : pathToFileURL(resolve(folder, path)).href;
}
