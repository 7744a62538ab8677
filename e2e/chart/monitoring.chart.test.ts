/** What one value turns on, for a cluster with the Prometheus Operator and for one without. */
import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { load } from 'js-yaml';
import { CHART, render, type Manifest } from './support/chart.ts';
import { deployment, environment, find } from './support/workloads.ts';

const dashboards = globSync(join(CHART, 'dashboards/*.json'));
const rules = globSync(join(CHART, 'rules/*.yaml'));
const read = (file: string): string => readFileSync(file, 'utf8');

test('nothing of it is there by default', () => {
  const manifests = render();
  expect(manifests.filter(({ kind }) => /Monitor|Rule$|ConfigMap/.test(kind))).toEqual([]);
  expect(deployment(manifests, 'gateway').spec.template.metadata.annotations).toBeUndefined();
});

describe('with the Prometheus Operator', () => {
  const manifests = render('full');

  test('a PodMonitor finds operators, gateways and the runtimes of every namespace', () => {
    const monitor = find(manifests, 'PodMonitor', 'pilotlight');
    expect(monitor.metadata.labels).toMatchObject({ release: 'prometheus' });
    expect(monitor['spec']).toEqual({
      namespaceSelector: { any: true },
      selector: {
        matchLabels: { 'app.kubernetes.io/part-of': 'pilotlight' },
        matchExpressions: [
          { key: 'app.kubernetes.io/component', operator: 'In', values: ['operator', 'gateway', 'runtime'] },
        ],
      },
      podTargetLabels: ['app.kubernetes.io/component'],
      podMetricsEndpoints: [
        {
          port: 'metrics',
          path: '/metrics',
          honorLabels: true,
          interval: '15s',
          scrapeTimeout: '10s',
          relabelings: [{ action: 'labeldrop', regex: 'pod' }],
          metricRelabelings: [{ action: 'drop', sourceLabels: ['__name__'], regex: 'nodejs_.*' }],
        },
      ],
    });
  });

  test('each file of rules is a PrometheusRule, word for word', () => {
    for (const file of rules) {
      const rule = find(manifests, 'PrometheusRule', `pilotlight-${basename(file, '.yaml')}`);
      expect(rule.metadata.labels).toMatchObject({ release: 'prometheus' });
      expect(rule['spec']).toEqual(load(read(file)));
    }
    expect(rules).not.toHaveLength(0);
  });

  test('each dashboard is a ConfigMap that the sidecar finds, byte for byte', () => {
    for (const file of dashboards) {
      const name = basename(file);
      const map: Manifest = find(manifests, 'ConfigMap', `pilotlight-dashboard-${name.replace('.json', '')}`);
      expect(map.metadata).toMatchObject({
        namespace: 'monitoring',
        labels: { grafana_dashboard: 'yes' },
        annotations: { grafana_folder: 'Pilotlight' },
      });
      expect((map['data'] as Record<string, string>)[name]).toBe(read(file));
    }
    expect(dashboards).not.toHaveLength(0);
  });

  test('each part can be left out', () => {
    const off = { enabled: false };
    const some = render({ monitoring: { enabled: true, rules: off, dashboards: off } });
    expect(some.filter(({ kind }) => /PrometheusRule|ConfigMap/.test(kind))).toEqual([]);
  });
});

describe('without it', () => {
  const manifests = render('scraped');

  test.each(['operator', 'gateway'] as const)('pods of the %s say where their metrics are', (component) => {
    expect(deployment(manifests, component).spec.template.metadata.annotations).toEqual({
      'prometheus.io/scrape': 'true',
      'prometheus.io/port': '9090',
      'prometheus.io/path': '/metrics',
    });
  });

  test('so do those of the runtimes, which the operator makes', () => {
    expect(environment(deployment(manifests, 'operator'))).toMatchObject({
      PILOTLIGHT_RUNTIME_SCRAPE_ANNOTATIONS: 'true',
    });
    expect(environment(deployment(render('full'), 'operator'))).toMatchObject({
      PILOTLIGHT_RUNTIME_SCRAPE_ANNOTATIONS: 'false',
    });
  });

  test('rules come as files, and nothing of the Prometheus Operator', () => {
    expect(manifests.filter(({ apiVersion }) => apiVersion.startsWith('monitoring.coreos.com'))).toEqual([]);
    for (const file of rules) {
      const map = find(manifests, 'ConfigMap', `pilotlight-${basename(file, '.yaml')}`);
      expect((map['data'] as Record<string, string>)[basename(file)]).toBe(read(file));
    }
  });
});
