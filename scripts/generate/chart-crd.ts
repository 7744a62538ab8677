/**
 * Makes a template of the chart from a CustomResourceDefinition. Helm never upgrades what lies in a chart's own crds/ folder, so there the API would stay
 * as it was first installed; as a template it is upgraded with the operator, and kept by an annotation when the release is uninstalled, for its
 * deletion would take every function with it.
 */

const METADATA = /^metadata:\n {2}name: \S+\n {2}labels:\n( {4}\S.*\n)+/m;

/** @param text the definition's file; its metadata must be a name and labels, which Helm adds to. */
export function generateChartCrd(text: string, notice: string): string {
  const [own] = METADATA.exec(text) ?? [];
  if (own === undefined) throw new Error('The CRD must begin its metadata with "name", then "labels", and no more.');
  if (text.includes('{{')) throw new Error('The CRD has "{{" somewhere, which Helm would read as its own.');
  const labels = `    {{- include "pilotlight.labels" (dict "root" .) | nindent 4 }}\n`;
  const metadata = `${own.replace(/ {4}\S.*\n/g, '')}${labels}  {{- if .Values.crds.keep }}
  annotations:
    helm.sh/resource-policy: keep
  {{- end }}
`;
  const body = text.replace(/^#.*\n/gm, '').replace(METADATA, () => metadata);
  return `{{- /* ${notice} */}}\n{{- if .Values.crds.enabled }}\n${body}{{- end }}\n`;
}
