{{/*
Names are the chart's, not the release's: the operator looks after every namespace, so a cluster has one release, and a second one is refused by Helm
because these objects belong to the first.
*/}}
{{- define "pilotlight.componentName" -}}
{{ .root.Chart.Name }}-{{ .component }}
{{- end }}

{{/* Part of Deployments and Services for ever: Kubernetes lets nobody change the selector of a Deployment, so a new line here breaks every upgrade. */}}
{{- define "pilotlight.selectorLabels" -}}
app.kubernetes.io/name: {{ .root.Chart.Name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{/* Of every object. */}}
{{- define "pilotlight.labels" -}}
{{ if .component -}}
{{ include "pilotlight.selectorLabels" . }}
{{- else -}}
app.kubernetes.io/name: {{ .root.Chart.Name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- end }}
app.kubernetes.io/part-of: {{ .root.Chart.Name }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- end }}

{{/* REGISTRY/REPOSITORY:TAG, or @DIGEST where there is one. */}}
{{- define "pilotlight.image" -}}
{{- $image := .image -}}
{{- $tag := $image.tag | default .root.Values.image.tag | default .root.Chart.AppVersion -}}
{{- with $image.registry | default .root.Values.image.registry }}{{ . }}/{{ end -}}
{{ $image.repository }}{{ if $image.digest }}@{{ $image.digest }}{{ else }}:{{ $tag }}{{ .suffix }}{{ end -}}
{{- end }}

{{- define "pilotlight.serviceAccountName" -}}
{{- $account := (index .root.Values .component).serviceAccount -}}
{{- if $account.create }}{{ $account.name | default (include "pilotlight.componentName" .) }}{{ else }}{{ $account.name | default "default" }}{{ end -}}
{{- end }}
