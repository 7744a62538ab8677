/** Names of every series that the three processes export, as docs/reference/metrics.md lists them; another test holds that page equal to the code. */
import { readPage, tableBelow } from '../docs/markdown.ts';

/** Of Node processes, by prom-client; as far as they are used here. */
const OF_NODE = [
  'nodejs_eventloop_time_seconds_total',
  'process_cpu_seconds_total',
  'process_max_fds',
  'process_open_fds',
  'process_resident_memory_bytes',
];

export function exportedMetrics(): ReadonlySet<string> {
  const page = readPage('reference/metrics.md');
  const listed = ['Gateway', 'Operator', 'Runtime'].flatMap((process) => tableBelow(page, `## ${process}`));
  const names = listed.flatMap(([name = '', type]) =>
    type === 'histogram' ? ['_bucket', '_sum', '_count'].map((suffix) => name + suffix) : [name],
  );
  return new Set([...names, ...OF_NODE]);
}
