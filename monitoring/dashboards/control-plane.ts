/** The board for those who run Pilotlight itself: operators, gateways, and how they hear of one another. */
import type { DashboardContent } from './dashboard.ts';
import { stat, timeSeries } from './panel.ts';

/** Where Pilotlight is installed: not what the functions board calls namespace, for links carry variables from board to board. */
const NAMESPACE = 'namespace=~"$installation"';
const POD = '{{pod}}';

const rate = (metric: string, labels = NAMESPACE): string => `rate(${metric}{${labels}}[$__rate_interval])`;
/** Every Node process exports `process_*`; those of other programs on the same Prometheus are left out by what only ours export. */
const ours = (metric: string): string =>
  `${metric} and on (job, instance) (pilotlight_operator_leader{${NAMESPACE}} or pilotlight_gateway_routes_epoch{${NAMESPACE}})`;

/** By budget; where there is none, a line at 0 that says so. */
const budgets = (expr: string): string =>
  `${expr} or (label_replace(vector(0), "resource", "no budget", "", "") unless on () pilotlight_budget_limit)`;

export const CONTROL_PLANE: DashboardContent = {
  uid: 'pilotlight-control-plane',
  title: 'Pilotlight / Control plane',
  description: 'Operators and gateways: who leads, what is reconciled, how fresh their view is, what they use.',
  variables: [
    { name: 'installation', label: 'Installed in', query: 'label_values(pilotlight_operator_leader, namespace)' },
  ],
  rows: [
    {
      title: 'Now',
      panels: [
        stat({
          title: 'Leaders',
          description:
            'Operators that lead: 1. At 0, nothing scales and nothing changes. 2 for a moment is a change of leader.',
          unit: 'short',
          thresholds: {
            from: 'red',
            steps: [
              { at: 1, color: 'green' },
              { at: 2, color: 'yellow' },
            ],
          },
          queries: [{ expr: `sum(pilotlight_operator_leader{${NAMESPACE}})`, legend: 'Leaders' }],
        }),
        stat({
          title: 'Operators',
          description: 'Operators that Prometheus finds.',
          unit: 'short',
          thresholds: { from: 'red', steps: [{ at: 1, color: 'green' }] },
          queries: [{ expr: `count(pilotlight_operator_leader{${NAMESPACE}})`, legend: 'Operators' }],
        }),
        stat({
          title: 'Gateways',
          description: 'Gateways that Prometheus finds.',
          unit: 'short',
          thresholds: { from: 'red', steps: [{ at: 1, color: 'green' }] },
          queries: [{ expr: `count(pilotlight_gateway_routes_epoch{${NAMESPACE}})`, legend: 'Gateways' }],
        }),
        stat({
          title: 'Fewest streams',
          description:
            'Operators that are connected to the gateway with the fewest. At 0 that gateway wakes nothing and hears of no change.',
          unit: 'short',
          thresholds: { from: 'red', steps: [{ at: 1, color: 'green' }] },
          queries: [{ expr: `min(pilotlight_gateway_operator_streams{${NAMESPACE}})`, legend: 'Streams' }],
        }),
        stat({
          title: 'Stalest watch',
          description:
            'Time since the API server last sent anything on the watch that is silent the longest; a minute is normal.',
          unit: 's',
          thresholds: {
            from: 'green',
            steps: [
              { at: 150, color: 'yellow' },
              { at: 300, color: 'red' },
            ],
          },
          queries: [
            {
              expr: `max(time() - pilotlight_watch_last_contact_timestamp_seconds{${NAMESPACE}})`,
              legend: 'Stalest watch',
            },
          ],
        }),
        stat({
          title: 'Functions',
          description: 'Functions that the leader knows.',
          unit: 'short',
          queries: [{ expr: 'count(pilotlight_function_max_replicas)', legend: 'Functions' }],
        }),
      ],
    },
    {
      title: 'Leader',
      panels: [
        timeSeries({
          title: 'Leader',
          description: '1 for the operator that leads.',
          unit: 'short',
          draw: 'steps',
          width: 12,
          queries: [{ expr: `pilotlight_operator_leader{${NAMESPACE}}`, legend: POD }],
        }),
        timeSeries({
          title: 'Epoch of routes',
          description:
            'Each leader has a higher epoch. Gateways that stay on a lower one than others do not hear from the leader.',
          unit: 'short',
          draw: 'steps',
          width: 12,
          queries: [{ expr: `pilotlight_gateway_routes_epoch{${NAMESPACE}}`, legend: POD }],
        }),
      ],
    },
    {
      title: 'Reconciling',
      panels: [
        timeSeries({
          title: 'Reconciliations',
          description:
            'Per second, by what is reconciled and how it ended. Errors are tried again with growing pauses.',
          unit: 'ops',
          queries: [
            {
              expr: `sum by (controller, result) (${rate('pilotlight_reconciles_total')})`,
              legend: '{{controller}} {{result}}',
            },
          ],
        }),
        timeSeries({
          title: 'p95 reconciliation',
          description:
            '95 % of the reconciliations took no longer than this; most of it is waiting for the API server.',
          unit: 's',
          queries: [
            {
              expr: `histogram_quantile(0.95, sum by (controller, le) (${rate('pilotlight_reconcile_seconds_bucket')}))`,
              legend: '{{controller}}',
            },
          ],
        }),
        timeSeries({
          title: 'Queue depth',
          description: 'Objects that wait to be reconciled. Steadily above zero: the operator does not keep up.',
          unit: 'short',
          queries: [
            {
              expr: `sum by (controller) (pilotlight_reconcile_queue_depth{${NAMESPACE}})`,
              legend: '{{controller}}',
            },
          ],
        }),
      ],
    },
    {
      title: 'Pods of functions',
      panels: [
        timeSeries({
          title: 'Pods made and removed',
          description: 'Pods that the operator created and deleted per second.',
          unit: 'ops',
          queries: [
            { expr: `sum(${rate('pilotlight_pods_created_total')})`, legend: 'created' },
            { expr: `sum(${rate('pilotlight_pods_deleted_total')})`, legend: 'deleted' },
          ],
        }),
        timeSeries({
          title: 'Failed pods',
          description: 'Pods that failed, by the reason that their function shows.',
          unit: 'short',
          draw: 'bars',
          queries: [
            {
              expr: `sum by (reason) (increase(pilotlight_pod_failures_total{${NAMESPACE}}[$__rate_interval])) > 0`,
              legend: '{{reason}}',
            },
          ],
        }),
        timeSeries({
          title: 'Time to wake',
          description:
            "From the decision that wakes a revision to the call that creates its first pod: the operator's own part of a cold start.",
          unit: 's',
          draw: 'points',
          queries: [
            {
              expr: `histogram_quantile(0.95, sum by (le) (${rate('pilotlight_wake_seconds_bucket')}))`,
              legend: 'p95',
            },
          ],
        }),
      ],
    },
    {
      title: 'Between operators, gateways and the API server',
      panels: [
        timeSeries({
          title: 'Streams of operators',
          description: 'Operators that are connected to each gateway: as many as there are operators.',
          unit: 'short',
          draw: 'steps',
          queries: [{ expr: `pilotlight_gateway_operator_streams{${NAMESPACE}}`, legend: POD }],
        }),
        timeSeries({
          title: 'Announcements of pods',
          description:
            'Per second, by what became of them. unauthorized and forbidden are pods that lie, or a wrong key.',
          unit: 'ops',
          queries: [
            {
              expr: `sum by (result) (${rate('pilotlight_gateway_announcements_total')})`,
              legend: '{{result}}',
            },
          ],
        }),
        timeSeries({
          title: 'Age of watches',
          description:
            'Time since the API server last sent anything on a watch. It sends a bookmark about every minute; above the line the alert fires.',
          unit: 's',
          thresholds: { from: 'green', steps: [{ at: 300, color: 'red' }] },
          queries: [
            {
              expr: `time() - pilotlight_watch_last_contact_timestamp_seconds{${NAMESPACE}}`,
              legend: `${POD} {{watch}}`,
            },
          ],
        }),
        timeSeries({
          title: 'Age of routes',
          description:
            'Time since each gateway last knew that its routes are the latest: 0 while the leader is connected. As long as it grows, that gateway serves on with what it knows.',
          unit: 's',
          queries: [
            {
              expr: `time() - (pilotlight_gateway_routes_confirmed_timestamp_seconds{${NAMESPACE}} > 0)`,
              legend: POD,
            },
          ],
        }),
      ],
    },
    {
      title: 'Between gateways',
      panels: [
        timeSeries({
          title: 'Connections to other gateways',
          description:
            'Gateways that each one is connected to, to ask for slots of functions with a limit: all others, or 0 where no function has one.',
          unit: 'short',
          draw: 'steps',
          queries: [{ expr: `pilotlight_gateway_peers{${NAMESPACE}}`, legend: POD }],
        }),
        timeSeries({
          title: 'Claims now',
          description:
            'Requests to functions with a limit that other gateways have, at those that give out the slots. waiting above 0 for long: such a function has too few replicas.',
          unit: 'short',
          queries: [{ expr: `sum by (state) (pilotlight_gateway_claims{${NAMESPACE}})`, legend: '{{state}}' }],
        }),
        timeSeries({
          title: 'Claims by result',
          description:
            'Per second, by what became of them. denied: the gateway that asked serves the request itself; steadily so, gateways have different routes.',
          unit: 'ops',
          queries: [{ expr: `sum by (result) (${rate('pilotlight_gateway_claims_total')})`, legend: '{{result}}' }],
        }),
      ],
    },
    {
      title: 'Budgets',
      panels: [
        timeSeries({
          title: 'Budgets in use',
          description:
            'Share of each budget that pods have, those that terminate included. At 1, replicas wait, or take those of lower priorities that are idle.',
          unit: 'percentunit',
          thresholds: { from: 'green', steps: [{ at: 1, color: 'red' }] },
          width: 12,
          queries: [
            { expr: budgets('pilotlight_budget_held / pilotlight_budget_limit'), legend: '{{resource}} {{namespace}}' },
          ],
        }),
        timeSeries({
          title: 'Waiting for capacity',
          description:
            'Units of each budget that replicas wait for. Their functions say WaitingForCapacity, with their place in line.',
          unit: 'short',
          draw: 'steps',
          width: 12,
          queries: [{ expr: budgets('pilotlight_budget_waiting'), legend: '{{resource}} {{namespace}}' }],
        }),
      ],
    },
    {
      title: 'Gateways and processes',
      panels: [
        timeSeries({
          title: 'Requests by gateway',
          description: 'Requests per second that ended. One gateway that has few is one that clients do not find.',
          unit: 'reqps',
          queries: [{ expr: 'sum by (pod) (rate(pilotlight_gateway_requests_total[$__rate_interval]))', legend: POD }],
        }),
        timeSeries({
          title: 'Requests that no function had',
          description: 'Errors per second by code: hosts and paths of no function, requests that are not valid.',
          unit: 'reqps',
          queries: [
            {
              expr: 'sum by (code) (rate(pilotlight_gateway_errors_total{function=""}[$__rate_interval]))',
              legend: '{{code}}',
            },
          ],
        }),
        timeSeries({
          title: 'Memory',
          description:
            'Resident memory. That of an operator grows with functions, that of a gateway with what it holds.',
          unit: 'bytes',
          queries: [{ expr: ours('process_resident_memory_bytes'), legend: POD }],
        }),
        timeSeries({
          title: 'Bodies in memory',
          description:
            'Bodies of requests that each gateway holds, of all functions together. At gateway.maxHeldBytes it answers 503 gateway-full.',
          unit: 'bytes',
          queries: [{ expr: `pilotlight_gateway_held_bytes{${NAMESPACE}}`, legend: POD }],
        }),
        timeSeries({
          title: 'CPU',
          description: 'Cores in use. A gateway is one thread: at 1 it is at its limit, and more gateways are needed.',
          unit: 'short',
          thresholds: { from: 'green', steps: [{ at: 1, color: 'red' }] },
          queries: [{ expr: ours('rate(process_cpu_seconds_total[$__rate_interval])'), legend: POD }],
        }),
        timeSeries({
          title: 'Event loop at work',
          description:
            'Share of the time in which the thread ran callbacks. Near 1 each request of a gateway waits for others, and more gateways are needed.',
          unit: 'percentunit',
          thresholds: { from: 'green', steps: [{ at: 0.9, color: 'red' }] },
          queries: [
            { expr: ours('rate(nodejs_eventloop_time_seconds_total{state="active"}[$__rate_interval])'), legend: POD },
          ],
        }),
        timeSeries({
          title: 'Open files',
          description: 'Sockets and files, by all that the process may open.',
          unit: 'percentunit',
          thresholds: { from: 'green', steps: [{ at: 0.8, color: 'red' }] },
          queries: [{ expr: ours('process_open_fds / process_max_fds'), legend: POD }],
        }),
      ],
    },
  ],
};
