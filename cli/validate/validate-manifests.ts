/** Says what an API server would refuse in manifests, before any cluster is asked. It does not see what only a cluster knows. */
import { type Admitted, admit } from '../../common/api/admission/admit.ts';
import type { Definition } from '../../common/api/admission/definition.ts';
import { isRecord } from '../../common/api/admission/record.ts';
import { MODEL_FUNCTION_DEFINITION } from '../../common/api/generated/model-function-definition.ts';
import { MODEL_REVISION_DEFINITION } from '../../common/api/generated/model-revision-definition.ts';
import { API_VERSION, GROUP } from '../../common/api/names.ts';
import type { FieldCause, KubernetesObject } from '../../common/api/object.ts';
import { nearest } from '../../common/text/nearest.ts';
import { type YamlDocument, parseYaml } from './yaml-documents.ts';

export interface Finding {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** `spec.traffic[0].percent`; empty for the document as a whole. */
  readonly field: string;
  readonly message: string;
  /** A warning is not refused by the API server. */
  readonly severity: 'error' | 'warning';
}

type DocumentFinding = FieldCause & Pick<Finding, 'severity'>;

const DEFINITIONS: ReadonlyMap<string, Definition> = new Map(
  [MODEL_FUNCTION_DEFINITION, MODEL_REVISION_DEFINITION].map((definition) => [definition.spec.names.kind, definition]),
);
const KINDS = [...DEFINITIONS.keys()].join(' or ');

/** Findings in the order of files and lines. */
export function validateManifests(files: readonly { readonly path: string; readonly text: string }[]): Finding[] {
  return files.flatMap(({ path, text }) => {
    const yaml = parseYaml(text);
    if ('syntaxError' in yaml) return [{ file: path, field: '', severity: 'error' as const, ...yaml.syntaxError }];
    if (yaml.documents.length === 0) {
      return [{ file: path, line: 1, field: '', severity: 'error' as const, message: 'holds no manifest' }];
    }
    return yaml.documents.flatMap((document) => findings(path, document)).sort((a, b) => a.line - b.line);
  });
}

/** `function.yaml:12: spec.traffic[0].percent: Invalid value: …` */
export function formatFinding({ file, line, field, message, severity }: Finding): string {
  return [
    `${file}:${line}`,
    ...(severity === 'warning' ? ['warning'] : []),
    ...(field === '' ? [] : [field]),
    message,
  ].join(': ');
}

function findings(file: string, { value, lines, faults }: YamlDocument): Finding[] {
  const found = value === undefined ? [] : check(value);
  return [
    ...faults.map((fault) => ({ file, severity: 'error' as const, ...fault })),
    ...found.map(({ field, message, severity }) => ({ file, line: lines.line(field), field, message, severity })),
  ];
}

function check(value: unknown): DocumentFinding[] {
  if (!isRecord(value)) return [error('', 'must be an object with apiVersion, kind, metadata and spec')];
  const { apiVersion, kind, metadata } = value;
  if (typeof apiVersion !== 'string') return [error('apiVersion', `must be ${API_VERSION}`)];
  if (typeof kind !== 'string') return [error('kind', `must be ${KINDS}`)];
  const definition = DEFINITIONS.get(kind);
  if (definition !== undefined && apiVersion !== API_VERSION) return [error('apiVersion', `must be ${API_VERSION}`)];
  if (definition === undefined) return [unknownKind(apiVersion, kind)];
  if (!isRecord(metadata)) return [error('metadata', 'Required value: must be an object with a name')];
  if (typeof metadata['generateName'] === 'string' && metadata['name'] === undefined) {
    // The API server makes up the end of the name before it looks at the rest.
    return admissionFindings(admitAs(`${metadata['generateName']}x`, definition, value, metadata));
  }
  if (metadata['name'] === undefined || metadata['name'] === null || metadata['name'] === '') {
    const missing = error('metadata.name', 'Required value: name or generateName is required');
    return [missing, ...admissionFindings(admitAs('unnamed', definition, value, metadata))];
  }
  return admissionFindings(admit(definition, value as unknown as KubernetesObject));
}

/** Admits an object without a name under this one, so that rules on names do not fail for want of one. */
function admitAs(name: string, definition: Definition, value: object, metadata: object): Admitted {
  return admit(definition, { ...value, metadata: { ...metadata, name } } as KubernetesObject);
}

function unknownKind(apiVersion: string, kind: string): DocumentFinding {
  const near = nearest(kind, DEFINITIONS.keys());
  if (near !== undefined) return error('kind', `must be ${KINDS}; did you mean ${near}?`);
  if (apiVersion.startsWith(`${GROUP}/`)) return error('kind', `must be ${KINDS}`);
  return { field: 'kind', message: `${apiVersion} ${kind} is not checked, only ${KINDS} is`, severity: 'warning' };
}

function admissionFindings({ causes, warnings }: Admitted): DocumentFinding[] {
  return [...warnings, ...causes].map(({ field, message }) => error(field, message));
}

function error(field: string, message: string): DocumentFinding {
  return { field, message, severity: 'error' };
}
