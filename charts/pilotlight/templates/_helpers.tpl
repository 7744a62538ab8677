{{/*
Named templates. Most take a scope, (dict "root" $ "component" "gateway"): what is needed of both is then written once.
*/}}

{{/*
Names are the chart's, not the release's: the operator looks after every namespace, so a cluster has one release, and Helm refuses a second one because
these objects belong to the first.
*/}}
{{- define "pilotlight.componentName" -}}
{{ .root.Chart.Name }}-{{ .component }}
{{- end }}

{{/* Part of Deployments for ever: Kubernetes lets nobody change a Deployment's selector, so a new line here would break every upgrade. */}}
{{- define "pilotlight.selectorLabels" -}}
app.kubernetes.io/name: {{ .root.Chart.Name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- with .component }}
app.kubernetes.io/component: {{ . }}
{{- end }}
{{- end }}

{{/* Of every object; "extra" in the scope are more, which win over commonLabels. */}}
{{- define "pilotlight.labels" -}}
{{ include "pilotlight.podLabels" . }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- end }}

{{/* Of pod templates: without the chart's version, or each new one would replace every pod. */}}
{{- define "pilotlight.podLabels" -}}
{{ include "pilotlight.selectorLabels" . }}
app.kubernetes.io/part-of: {{ .root.Chart.Name }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
{{- with merge (dict) (.extra | default dict) (.root.Values.commonLabels | default dict) }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* metadata of an object in the release's namespace, but for its annotations. */}}
{{- define "pilotlight.metadata" -}}
name: {{ include "pilotlight.componentName" . }}{{ .suffix }}
namespace: {{ .root.Release.Namespace }}
labels:
  {{- include "pilotlight.labels" . | nindent 2 }}
{{- end }}

{{/* The same of one that is in no namespace. */}}
{{- define "pilotlight.clusterMetadata" -}}
name: {{ include "pilotlight.componentName" . }}{{ .suffix }}
labels:
  {{- include "pilotlight.labels" . | nindent 2 }}
{{- end }}

{{/* registry/repository:tag or registry/repository@digest, of (dict "root" $ "image" IMAGE "suffix" "of a tag that is not given"). */}}
{{- define "pilotlight.image" -}}
{{- $main := .root.Values.image -}}
{{- $tag := .image.tag | default (printf "%s%s" ($main.tag | default .root.Chart.AppVersion) (.suffix | default "")) -}}
{{- $registry := .image.registry | default $main.registry -}}
{{- if $registry }}{{ trimSuffix "/" $registry }}/{{ end }}{{ .image.repository }}
{{- if .image.digest }}@{{ .image.digest }}{{ else }}:{{ $tag }}{{ end }}
{{- end }}

{{- define "pilotlight.serviceAccountName" -}}
{{- $account := (index .root.Values .component).serviceAccount -}}
{{- if $account.create }}{{ $account.name | default (include "pilotlight.componentName" .) }}{{ else }}{{ $account.name | default "default" }}{{ end }}
{{- end }}
