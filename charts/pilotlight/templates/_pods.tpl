{{/*
What the pods of both components have in common. Each takes a scope, as those of _helpers.tpl.
*/}}

{{/* Not empty where pods tell Prometheus of themselves, for no PodMonitor does. */}}
{{- define "pilotlight.scrapeAnnotations" -}}
{{- with .Values.monitoring }}{{ if and .enabled (not .prometheusOperator) }}true{{ end }}{{ end }}
{{- end }}

{{/* metadata of a pod template. */}}
{{- define "pilotlight.podMetadata" -}}
{{- $values := index .root.Values .component -}}
labels:
  {{- include "pilotlight.podLabels" (dict "root" .root "component" .component "extra" $values.podLabels) | nindent 2 }}
{{- $annotations := $values.podAnnotations }}
{{- if include "pilotlight.scrapeAnnotations" .root }}
{{- $annotations = merge (dict) ($annotations | default dict) (dict "prometheus.io/scrape" "true" "prometheus.io/port" "9090" "prometheus.io/path" "/metrics") }}
{{- end }}
{{- with $annotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* The part of a pod's spec that says who it is and where it goes. */}}
{{- define "pilotlight.podSettings" -}}
{{- $values := index .root.Values .component -}}
serviceAccountName: {{ include "pilotlight.serviceAccountName" . | quote }}
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
# Variables for each Service of the namespace, which nobody reads.
enableServiceLinks: false
securityContext:
  {{- toYaml $values.podSecurityContext | nindent 2 }}
{{- with $values.priorityClassName }}
priorityClassName: {{ . | quote }}
{{- end }}
{{- with $values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
tolerations:
  {{- include "pilotlight.tolerations" ($values.tolerations | default list) | nindent 2 }}
{{- with $values.topologySpreadConstraints }}
topologySpreadConstraints:
  {{- range . }}
  - {{ include "pilotlight.spreadConstraint" (dict "constraint" . "scope" $) | nindent 4 | trim }}
  {{- end }}
{{- end }}
{{- end }}

{{/*
Pods of a node that is lost are made anew elsewhere after 30 s. Kubernetes would add tolerations of five minutes, likewise where no toleration is for
the taint: one without a key is for each.
*/}}
{{- define "pilotlight.tolerations" -}}
{{- $tolerations := . -}}
{{- range list "node.kubernetes.io/not-ready" "node.kubernetes.io/unreachable" }}
{{- $taint := . }}
{{- $given := false }}
{{- range $tolerations }}
{{- if has (.key | default "") (list $taint "") }}{{ $given = true }}{{ end }}
{{- end }}
{{- if not $given }}
{{- $tolerations = append $tolerations (dict "key" $taint "operator" "Exists" "effect" "NoExecute" "tolerationSeconds" 30) }}
{{- end }}
{{- end }}
{{- toYaml $tolerations }}
{{- end }}

{{/* By the hash of the template, or pods of the old version would count during an upgrade, and the new ones end up on one node. */}}
{{- define "pilotlight.spreadConstraint" -}}
{{- if hasKey .constraint "labelSelector" }}
{{- toYaml .constraint }}
{{- else }}
{{- $selector := dict "matchLabels" (include "pilotlight.selectorLabels" .scope | fromYaml) }}
{{- toYaml (merge (dict "labelSelector" $selector) .constraint (dict "matchLabelKeys" (list "pod-template-hash"))) }}
{{- end }}
{{- end }}

{{/* A healthy process answers at once; one that does not for 30 s is worth no more. */}}
{{- define "pilotlight.probes" -}}
livenessProbe:
  httpGet: { path: /healthz, port: metrics }
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 3
readinessProbe:
  httpGet: { path: /readyz, port: metrics }
  periodSeconds: 2
  timeoutSeconds: 2
  failureThreshold: 3
{{- end }}
