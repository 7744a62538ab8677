/** Every query of the boards and of the rules, asked of a real Prometheus that scrapes the stack under load as docs/how-to/monitor.md says. */
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { load as parseYaml } from 'js-yaml';
import { COMPONENTS, LABELS } from '../../common/api/names.ts';
import { codeBlocks, readPage } from '../../docs/markdown.ts';
import { metricNames } from '../../monitoring/metric-names.ts';
import { readDashboards } from '../../monitoring/read-dashboards.ts';
import { readRules, ruleFiles, ruleTests } from '../../monitoring/read-rules.ts';
import { PODS } from '../../operator/cluster/resources.ts';
import { DIGITS } from '../local/examples.ts';
import { ApiProxy } from './support/api-proxy.ts';
import { SYSTEM_NAMESPACE } from './support/installation.ts';
import { modelFunction } from './support/manifests.ts';
import { listObjects } from './support/objects.ts';
import { PodDiscovery } from './support/pod-discovery.ts';
import { checkPrometheusPrograms, Prometheus, promtool } from './support/prometheus.ts';
import { startSuite, type Suite } from './support/suite.ts';

jest.setTimeout(240_000);

const SCRAPE_SECONDS = 2;
/** Instead of Grafana's: the interval of rates, and the time range of the board. */
const RATE_INTERVAL = '20s';
const RANGE = '5m';
const PATIENCE_MILLISECONDS = 120_000;

/** Triton's names, which its dashboards and load tools know; promtool minds their `_us`, their `_count`, and that counters do not end in `_total`. */
const NAMED_BY_TRITON = /^nv_inference_\w+ /;

let suite: Suite;
let proxy: ApiProxy;
let prometheus: Prometheus;
/** In the order of their beginnings. */
const begun: { close(): Promise<unknown> }[] = [];

beforeAll(async () => {
  checkPrometheusPrograms();
  suite = await begin(startSuite('monitoring'));
  proxy = await begin(ApiProxy.start());
  const pods = await begin(PodDiscovery.start([SYSTEM_NAMESPACE, suite.namespace]));
  prometheus = await begin(
    Prometheus.start(
      { scrape_configs: [fromOutside(documentedJob(), pods.url, proxy.address)], rule_files: ruleFiles() },
      SCRAPE_SECONDS,
    ),
  );
  // Functions first, then what begins at zero is scraped before it counts.
  await suite.apply(
    modelFunction('digits', { scaling: { target: 4, maxReplicas: 2 } }),
    // Five requests a second, one at a time: less than it gets.
    modelFunction('narrow', {
      batching: { maxDelayMilliseconds: 200 },
      concurrencyLimit: 1,
      scaling: { maxReplicas: 1 },
      queue: { maxRequests: 1 },
    }),
    modelFunction('broken', { model: { uri: 'file:/opt/pilotlight/examples/digits/nothing.onnx' } }),
  );
  await Promise.all([suite.untilReady('digits'), suite.untilReady('narrow')]);
  await Promise.all([suite.untilNoPods('digits'), suite.untilNoPods('narrow')]);
  for (const [name, perSecond] of Object.entries({ digits: 20, narrow: 15 })) {
    const load = await suite.client.load({
      request: suite.inference(name, DIGITS.request),
      perSecond,
      keepAlive: true,
    });
    begun.push({ close: () => load.stop() });
  }
});

afterAll(async () => {
  for (const one of begun.toReversed()) await one.close();
});

async function begin<T extends { close(): Promise<unknown> }>(starting: Promise<T>): Promise<T> {
  const started = await starting;
  begun.push(started);
  return started;
}

test('promtool accepts the rules, and they fire as their tests say', () => {
  expect(promtool(['check', 'rules', ...ruleFiles()])).toEqual([]);
  expect(promtool(['test', 'rules', ...ruleTests()])).toEqual([]);
});

describe.each(readDashboards())('$title', ({ panels }) => {
  const queries = panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr, refId }) => ({ query: `${title} ${refId}`, expr })),
  );

  test('gets data for every query', async () => {
    const filled = queries.map(({ query, expr }) => ({ query, expr: gaveNumbers(fill(expr)) }));
    expect(await untilAnswered(filled)).toEqual([]);
  });
});

test('every rule is evaluated without an error, over metrics that exist', async () => {
  const { alerts, recordings } = readRules();
  const rules = [...alerts, ...recordings];
  const metrics = new Set(rules.flatMap(({ expr }) => metricNames(expr)));
  const queries = [...metrics].map((name) => ({ query: name, expr: `count(last_over_time(${name}[${RANGE}]))` }));
  expect(await untilAnswered(queries)).toEqual([]);
  const states = await prometheus.rules();
  expect(states).toHaveLength(rules.length);
  expect(states.filter(({ health }) => health !== 'ok')).toEqual([]);
});

test('alerts begin for the function that is broken and for the one whose queue is full, and not for the others', async () => {
  const expected = ['PilotlightFunctionNotReady broken', 'PilotlightQueueFull narrow'];
  const names = expected.map((alert) => alert.split(' ')[0]);
  const seen = async (): Promise<string[]> => {
    const alerts = (await prometheus.rules()).flatMap(({ name, alerts: ofRule = [] }) =>
      ofRule.map(({ labels }) => ({ name, ...labels })),
    );
    return alerts
      .filter(({ name, namespace }) => names.includes(name) && namespace === suite.namespace)
      .map(({ name, function: functionName }) => `${name} ${functionName}`)
      .sort();
  };
  const deadline = Date.now() + PATIENCE_MILLISECONDS;
  while ((await seen()).length < expected.length && Date.now() < deadline) await delay(SCRAPE_SECONDS * 1000);
  expect(await seen()).toEqual(expected);
});

test('promtool has nothing to say of what operator, gateway and runtime export, but for names that are Triton’s', async () => {
  const texts = await Promise.all(
    Object.values(COMPONENTS).map(async (component) => {
      const namespace = component === COMPONENTS.runtime ? suite.namespace : SYSTEM_NAMESPACE;
      const { objects } = await listObjects(PODS, { namespace, labels: { [LABELS.component]: component } });
      const pod = objects.find(({ status }) => status?.conditions?.some(isReady));
      if (pod === undefined) throw new Error(`No ${component} in ${namespace} is ready.`);
      return proxy.get(namespace, pod.metadata.name, 9090, '/metrics');
    }),
  );
  const complaints = texts.flatMap((text) => promtool(['check', 'metrics'], text));
  expect(complaints.filter((line) => !NAMED_BY_TRITON.test(line))).toEqual([]);
});

function isReady({ type, status }: { readonly type: string; readonly status: string }): boolean {
  return type === 'Ready' && status === 'True';
}

interface ScrapeJob extends Readonly<Record<string, unknown>> {
  readonly relabel_configs: readonly object[];
}

/** The job that docs/how-to/monitor.md gives. */
function documentedJob(): ScrapeJob {
  const block = codeBlocks(readPage('how-to/monitor.md')).find(({ text }) => text.startsWith('scrape_configs:'));
  const { scrape_configs: jobs } = parseYaml(block?.text ?? '') as { readonly scrape_configs: readonly ScrapeJob[] };
  const [job] = jobs;
  if (job === undefined) throw new Error('docs/how-to/monitor.md has no scrape_configs.');
  return job;
}

/** The same from outside of the cluster: each pod is asked through the API server, by its name. */
function fromOutside(job: ScrapeJob, discovery: string, apiServer: string): object {
  return {
    ...Object.fromEntries(Object.entries(job).filter(([field]) => field !== 'kubernetes_sd_configs')),
    http_sd_configs: [{ url: discovery, refresh_interval: `${SCRAPE_SECONDS}s` }],
    relabel_configs: [
      ...job.relabel_configs,
      {
        source_labels: [
          '__meta_kubernetes_namespace',
          '__meta_kubernetes_pod_name',
          '__meta_kubernetes_pod_container_port_number',
        ],
        separator: '/',
        regex: '(.+)/(.+)/(.+)',
        target_label: '__metrics_path__',
        replacement: '/api/v1/namespaces/$1/pods/$2:$3/proxy/metrics',
      },
      { source_labels: ['__meta_kubernetes_pod_name'], target_label: 'instance' },
      { target_label: '__address__', replacement: apiServer },
    ],
  };
}

function fill(expression: string): string {
  return expression
    .replaceAll('$__rate_interval', RATE_INTERVAL)
    .replaceAll('$__range', RANGE)
    .replaceAll('$namespace', suite.namespace)
    .replaceAll('$installation', SYSTEM_NAMESPACE)
    .replaceAll('$function', '.*');
}

/** How many numbers a query gave in the time range, as Grafana would draw them: what nobody does for a moment is not a number in it. */
function gaveNumbers(expression: string): string {
  return `count_over_time(((${expression}) >= -Inf)[${RANGE}:${SCRAPE_SECONDS}s])`;
}

/** Those that give nothing until the patience ends. */
async function untilAnswered(
  queries: readonly { readonly query: string; readonly expr: string }[],
): Promise<readonly object[]> {
  const deadline = Date.now() + PATIENCE_MILLISECONDS;
  let open = queries;
  for (;;) {
    const answers = await Promise.all(open.map(async (one) => ({ one, samples: await prometheus.query(one.expr) })));
    open = answers.filter(({ samples }) => samples.length === 0).map(({ one }) => one);
    if (open.length === 0) return [];
    if (Date.now() > deadline) return [...open, ...(await prometheus.scrapeErrors()).map((error) => ({ error }))];
    await delay(SCRAPE_SECONDS * 1000);
  }
}
