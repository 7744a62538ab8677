/** The board for those who run functions: what callers feel, from left to right and from the top down in the order in which to look. */
import type { DashboardContent } from './dashboard.ts';
import { barGauge, stat, table, timeSeries } from './panel.ts';

const FUNCTION = 'namespace=~"$namespace", function=~"$function"';
/** Of the runtime's metrics, whose names for function and revision are Triton's; their namespace is the pod's. */
const MODEL = 'namespace=~"$namespace", model=~"$function"';
const NAME = '{{namespace}}/{{function}}';
const MODEL_NAME = '{{namespace}}/{{model}}';

const rate = (metric: string, labels = FUNCTION): string => `rate(${metric}{${labels}}[$__rate_interval])`;
const quantile = (q: number, by: string, buckets: string): string =>
  `histogram_quantile(${q}, sum by (${by}) (${buckets}))`;

/** Mean seconds a request of one of Triton's sums of microseconds. */
const tritonSeconds = (part: string): string =>
  `sum(${rate(`nv_inference_${part}_duration_us`, MODEL)}) / sum(${rate('nv_inference_request_success', MODEL)}) / 1e6`;

const REQUESTS = rate('pilotlight_gateway_requests_total');
const FAILURES = rate('pilotlight_gateway_requests_total', `${FUNCTION}, outcome="5xx"`);
const DURATIONS = rate('pilotlight_gateway_request_duration_seconds_bucket');

/** The objective of the alert rules: 1 % of the requests may fail. */
const FAILURE_THRESHOLDS = {
  from: 'green',
  steps: [
    { at: 0.01, color: 'yellow' },
    { at: 0.06, color: 'red' },
  ],
} as const;
/** Seconds; the alert rules' objective of a cold start. */
const COLD_START_THRESHOLDS = {
  from: 'green',
  steps: [
    { at: 10, color: 'yellow' },
    { at: 30, color: 'red' },
  ],
} as const;

export const FUNCTIONS: DashboardContent = {
  uid: 'pilotlight-functions',
  title: 'Pilotlight / Functions',
  description: 'Traffic, errors, latency, queue, replicas and cold starts of functions, as their callers feel them.',
  variables: [
    { name: 'namespace', label: 'Namespace', query: 'label_values(pilotlight_function_max_replicas, namespace)' },
    {
      name: 'function',
      label: 'Function',
      query: 'label_values(pilotlight_function_max_replicas{namespace=~"$namespace"}, function)',
    },
  ],
  rows: [
    {
      title: 'Now',
      panels: [
        stat({
          title: 'Not ready',
          description: 'Functions whose condition Ready is False. The table below names them with the reason.',
          unit: 'short',
          thresholds: { from: 'green', steps: [{ at: 1, color: 'red' }] },
          queries: [
            { expr: `sum(pilotlight_function_ready{${FUNCTION}, status="False"}) or vector(0)`, legend: 'Not ready' },
          ],
        }),
        stat({
          title: 'Requests',
          description: 'Requests per second that ended, whatever the answer.',
          unit: 'reqps',
          queries: [{ expr: `sum(${REQUESTS})`, legend: 'Requests' }],
        }),
        stat({
          title: 'Failing',
          description:
            'Share of the requests that were answered with 5xx. The alert rules allow 1 % over 30 days. Without requests there is none.',
          unit: 'percentunit',
          thresholds: FAILURE_THRESHOLDS,
          queries: [{ expr: `sum(${FAILURES}) / sum(${REQUESTS})`, legend: 'Failing' }],
        }),
        stat({
          title: 'p95 latency',
          description: '95 % of the requests took no longer than this, waits for a pod included.',
          unit: 's',
          queries: [{ expr: quantile(0.95, 'le', DURATIONS), legend: 'p95' }],
        }),
        stat({
          title: 'Held',
          description:
            'Requests that wait at a gateway for a pod. A few that come and go are a function that wakes or grows.',
          unit: 'short',
          queries: [{ expr: `sum(pilotlight_gateway_requests_queued{${FUNCTION}})`, legend: 'Held' }],
        }),
        stat({
          title: 'Replicas',
          description: 'Pods that are ready. 0 is what an idle function costs.',
          unit: 'short',
          queries: [{ expr: `sum(pilotlight_ready_replicas{${FUNCTION}})`, legend: 'Replicas' }],
        }),
      ],
    },
    {
      title: 'Traffic',
      panels: [
        timeSeries({
          title: 'Requests by function',
          description: 'Requests per second that ended, by function.',
          unit: 'reqps',
          queries: [{ expr: `sum by (namespace, function) (${REQUESTS})`, legend: NAME }],
        }),
        timeSeries({
          title: 'Requests by answer',
          description:
            'Requests per second by the class of the answer. aborted: the client left before its answer was out.',
          unit: 'reqps',
          draw: 'area',
          colors: { '2xx': 'green', '3xx': 'blue', '4xx': 'yellow', '5xx': 'red', aborted: 'text' },
          queries: [{ expr: `sum by (outcome) (${REQUESTS})`, legend: '{{outcome}}' }],
        }),
        timeSeries({
          title: 'In flight',
          description: "Requests that pods have now. By the function's target it says how many replicas are needed.",
          unit: 'short',
          queries: [
            {
              expr: `sum by (namespace, function) (pilotlight_gateway_requests_in_flight{${FUNCTION}})`,
              legend: NAME,
            },
          ],
        }),
      ],
    },
    {
      title: 'Errors',
      panels: [
        timeSeries({
          title: 'Share of failing requests',
          description: 'Answers of class 5xx by all answers. The line is the objective of the alert rules, 1 %.',
          unit: 'percentunit',
          thresholds: { from: 'green', steps: [{ at: 0.01, color: 'red' }] },
          queries: [
            {
              expr: `sum by (namespace, function) (${FAILURES}) / sum by (namespace, function) (${REQUESTS})`,
              legend: NAME,
            },
          ],
        }),
        timeSeries({
          title: "Gateways' own errors",
          description:
            'Errors per second that gateways answered themselves, by code. queue-full is 429; gateway-full is 503, of one gateway’s memory; no-pod-in-time means that no pod came or had room within queue.timeoutSeconds.',
          unit: 'reqps',
          draw: 'area',
          queries: [{ expr: `sum by (code) (${rate('pilotlight_gateway_errors_total')})`, legend: '{{code}}' }],
        }),
        timeSeries({
          title: 'Retries',
          description:
            'Attempts per second at a pod that led to another attempt. not-begun is harmless; died means that pods end with requests in them.',
          unit: 'reqps',
          draw: 'area',
          queries: [{ expr: `sum by (reason) (${rate('pilotlight_gateway_retries_total')})`, legend: '{{reason}}' }],
        }),
        table({
          title: 'Ready',
          height: 6,
          description:
            'What the condition Ready of each function says now. kubectl describe modelfunction has the message.',
          unit: 'short',
          width: 24,
          columns: ['namespace', 'function', 'status', 'reason'],
          queries: [
            {
              expr: `max by (namespace, function, status, reason) (pilotlight_function_ready{${FUNCTION}})`,
              legend: NAME,
            },
          ],
        }),
      ],
    },
    {
      title: 'Latency',
      panels: [
        timeSeries({
          title: 'Latency',
          description:
            'From the arrival of a request to the end of its answer, waits included, of all chosen functions together.',
          unit: 's',
          queries: [0.5, 0.95, 0.99].map((q) => ({ expr: quantile(q, 'le', DURATIONS), legend: `p${q * 100}` })),
        }),
        timeSeries({
          title: 'p95 by function',
          description: '95 % of the requests of a function took no longer than this.',
          unit: 's',
          queries: [{ expr: quantile(0.95, 'namespace, function, le', DURATIONS), legend: NAME }],
        }),
        timeSeries({
          title: 'p99 by function',
          description: '99 % of the requests of a function took no longer than this; cold starts show here.',
          unit: 's',
          queries: [{ expr: quantile(0.99, 'namespace, function, le', DURATIONS), legend: NAME }],
        }),
      ],
    },
    {
      title: 'Queue',
      panels: [
        timeSeries({
          title: 'Held requests',
          description:
            'Requests that wait at gateways for a slot in a pod. Steadily above zero: too few replicas, by maxReplicas or because none can start.',
          unit: 'short',
          queries: [
            { expr: `sum by (namespace, function) (pilotlight_gateway_requests_queued{${FUNCTION}})`, legend: NAME },
          ],
        }),
        timeSeries({
          title: 'Held bytes',
          description:
            'Bodies of held requests in the memory of gateways. queue.maxBytes bounds them for each gateway.',
          unit: 'bytes',
          queries: [
            { expr: `sum by (namespace, function) (pilotlight_gateway_queued_bytes{${FUNCTION}})`, legend: NAME },
          ],
        }),
        timeSeries({
          title: 'p95 wait',
          description: '95 % of the requests that had to wait for a slot waited no longer than this.',
          unit: 's',
          queries: [
            {
              expr: quantile(0.95, 'namespace, function, le', rate('pilotlight_gateway_queue_wait_seconds_bucket')),
              legend: NAME,
            },
          ],
        }),
      ],
    },
    {
      title: 'Replicas',
      panels: [
        timeSeries({
          title: 'Desired, ready and most replicas',
          description:
            'What the autoscaler wants, what is ready, and maxReplicas, of all chosen functions together. Desired above ready: pods start, or cannot.',
          unit: 'short',
          draw: 'steps',
          colors: { desired: 'blue', ready: 'green', most: 'text' },
          queries: [
            { expr: `sum(pilotlight_desired_replicas{${FUNCTION}})`, legend: 'desired' },
            { expr: `sum(pilotlight_ready_replicas{${FUNCTION}})`, legend: 'ready' },
            { expr: `sum(pilotlight_function_max_replicas{${FUNCTION}})`, legend: 'most' },
          ],
        }),
        timeSeries({
          title: 'Ready replicas by function',
          description: 'Pods that are ready, by function.',
          unit: 'short',
          draw: 'steps',
          queries: [{ expr: `sum by (namespace, function) (pilotlight_ready_replicas{${FUNCTION}})`, legend: NAME }],
        }),
        timeSeries({
          title: 'Panic mode',
          description:
            '1 while the autoscaler looks at the short window only and takes nothing away, because demand rose by more than panicThresholdPercentage.',
          unit: 'short',
          draw: 'steps',
          queries: [{ expr: `max by (namespace, function) (pilotlight_panic_mode{${FUNCTION}})`, legend: NAME }],
        }),
      ],
    },
    {
      title: 'Cold starts',
      panels: [
        stat({
          title: 'Cold starts',
          height: 8,
          description: 'Requests in the time range that found no pod of their revision and were answered by a new one.',
          unit: 'short',
          queries: [
            {
              expr: `sum(increase(pilotlight_gateway_cold_start_seconds_count{${FUNCTION}}[$__range]))`,
              legend: 'Cold starts',
            },
          ],
        }),
        stat({
          title: 'p95 cold start',
          height: 8,
          description:
            '95 % of the cold starts in the time range took no longer than this. The alert rules have an objective of 30 s.',
          unit: 's',
          thresholds: COLD_START_THRESHOLDS,
          queries: [
            {
              expr: quantile(
                0.95,
                'le',
                `increase(pilotlight_gateway_cold_start_seconds_bucket{${FUNCTION}}[$__range])`,
              ),
              legend: 'p95',
            },
          ],
        }),
        timeSeries({
          title: 'Cold starts by function',
          description: 'Requests that waited for the first pod of their revision.',
          unit: 'short',
          draw: 'bars',
          queries: [
            {
              expr: `sum by (namespace, function) (increase(pilotlight_gateway_cold_start_seconds_count{${FUNCTION}}[$__rate_interval]))`,
              legend: NAME,
            },
          ],
        }),
        barGauge({
          title: 'Phases of a start',
          description:
            'Mean time that pods say they took for each phase of their start, in the time range, of all functions. ready is the whole, from the start of the process.',
          unit: 's',
          queries: [
            {
              expr: 'sum by (phase) (increase(pilotlight_start_phase_seconds_sum[$__range])) / sum by (phase) (increase(pilotlight_start_phase_seconds_count[$__range]))',
              legend: '{{phase}}',
            },
          ],
        }),
        timeSeries({
          title: 'p95 cold start by function',
          description:
            'How long those requests waited. What is not in the phases is the cluster: node, image, kubelet.',
          unit: 's',
          draw: 'points',
          width: 24,
          queries: [
            {
              expr: quantile(0.95, 'namespace, function, le', rate('pilotlight_gateway_cold_start_seconds_bucket')),
              legend: NAME,
            },
          ],
        }),
      ],
    },
    {
      title: 'Runtime',
      panels: [
        timeSeries({
          title: 'Rows in a run',
          description:
            'Mean batch: rows that the model was given at once. 1 under load: batching is off, and metadata says why.',
          unit: 'short',
          queries: [
            {
              expr: `sum by (namespace, model) (${rate('nv_inference_count', MODEL)}) / sum by (namespace, model) (${rate('nv_inference_exec_count', MODEL)})`,
              legend: MODEL_NAME,
            },
          ],
        }),
        timeSeries({
          title: 'Requests in a run',
          description: '95 % of the runs of the model were shared by no more requests than this.',
          unit: 'short',
          queries: [
            {
              expr: quantile(0.95, 'namespace, model, le', rate('pilotlight_runtime_batch_size_bucket', MODEL)),
              legend: MODEL_NAME,
            },
          ],
        }),
        timeSeries({
          title: 'Time in a pod',
          description: 'Mean time of a request in the pod by what it was spent on; infer is the model itself.',
          unit: 's',
          draw: 'area',
          queries: [
            { expr: tritonSeconds('queue'), legend: 'wait for a run' },
            { expr: tritonSeconds('compute_input'), legend: 'input' },
            { expr: tritonSeconds('compute_infer'), legend: 'infer' },
            { expr: tritonSeconds('compute_output'), legend: 'output' },
          ],
        }),
        timeSeries({
          title: 'Failed inferences',
          description:
            'Inference requests without a result per second. BACKEND: the model failed; OTHER: the request was wrong; REJECTED: refused before it began.',
          unit: 'reqps',
          draw: 'area',
          queries: [{ expr: `sum by (reason) (${rate('nv_inference_request_failure', MODEL)})`, legend: '{{reason}}' }],
        }),
        timeSeries({
          title: 'Refused by pods',
          description:
            'Requests per second that pods did not begin; gateways try another pod. LimitReached: as many requests, or bytes of them, as a pod may have; WrongPod: its address was another pod’s before.',
          unit: 'reqps',
          draw: 'area',
          queries: [
            {
              expr: `sum by (result) (${rate('pilotlight_runtime_admissions_total', `${MODEL}, result!="Admitted"`)})`,
              legend: '{{result}}',
            },
          ],
        }),
        timeSeries({
          title: 'Memory of requests',
          description:
            'Bodies, BYTES elements and answers in the fullest pod of a function, by what they may take there. At 1, requests are refused.',
          unit: 'percentunit',
          thresholds: { from: 'green', steps: [{ at: 1, color: 'red' }] },
          queries: [
            {
              expr: `max by (namespace, model) (pilotlight_runtime_request_memory_bytes{${MODEL}} / pilotlight_runtime_request_memory_limit_bytes{${MODEL}})`,
              legend: MODEL_NAME,
            },
          ],
        }),
        timeSeries({
          title: 'Waiting in pods',
          description: 'Requests that pods admitted and that wait for a run.',
          unit: 'short',
          queries: [
            { expr: `sum by (namespace, model) (nv_inference_pending_request_count{${MODEL}})`, legend: MODEL_NAME },
          ],
        }),
        timeSeries({
          title: 'Execution providers',
          description:
            'Pods on each execution provider. One that was asked for and has 0 is not there: the model fell back.',
          unit: 'short',
          draw: 'steps',
          queries: [
            {
              expr: `sum by (namespace, model, provider) (pilotlight_runtime_execution_provider{${MODEL}})`,
              legend: `${MODEL_NAME} {{provider}}`,
            },
          ],
        }),
      ],
    },
  ],
};
