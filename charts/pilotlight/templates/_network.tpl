{{/*
Parts of the NetworkPolicies. Each takes a scope, as those of _helpers.tpl.
*/}}

{{/* A peer: pods of a component in the release's namespace. */}}
{{- define "pilotlight.peer" -}}
podSelector:
  matchLabels:
    {{- include "pilotlight.selectorLabels" . | nindent 4 }}
{{- end }}

{{/* A peer: runtimes of every namespace, by the labels that the operator gives them. */}}
{{- define "pilotlight.runtimePeer" -}}
namespaceSelector: {}
podSelector:
  matchLabels:
    app.kubernetes.io/name: pilotlight
    app.kubernetes.io/component: runtime
{{- end }}

{{/* Metrics. The kubelet's probes come from the node, which network plugins let through. */}}
{{- define "pilotlight.monitoringIngress" -}}
- ports: [{ port: metrics, protocol: TCP }]
  {{- with .root.Values.monitoring.from }}
  from:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}
