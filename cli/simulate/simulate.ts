/** `pilotlight simulate`: walks a trace of requests through the autoscaler, with a function's settings and in no time. */
import { open, writeFile } from 'node:fs/promises';
import { admit } from '../../common/api/admission/admit.ts';
import { MODEL_FUNCTION_DEFINITION } from '../../common/api/generated/model-function-definition.ts';
import type { ModelFunction, ModelFunctionSpec } from '../../common/api/kinds.ts';
import { parseQuantity } from '../../common/api/quantity.ts';
import { scalingSettings } from '../../operator/autoscaler/scaling-settings.ts';
import { simulate as run, type SimulationResult } from '../../operator/simulation/simulate.ts';
import { type Command, type OptionValues, UsageError } from '../command.ts';
import { readManifestFiles } from '../local/manifest-files.ts';
import { readManifests } from '../local/manifests.ts';
import { plot } from './plot.ts';
import { readTrace } from './read-trace.ts';
import { summarise } from './summarise.ts';

const MOST_BYTES = 64 * 1024 * 1024;

export const simulate: Command = {
  name: 'simulate',
  summary: 'Walk a trace of requests through the autoscaler, and draw what it does',
  positionals: 'TRACE MANIFEST',
  options: {
    'start-seconds': { value: 'SECONDS', description: 'what a pod takes to start', default: '10' },
    'service-milliseconds': {
      value: 'MILLISECONDS',
      description: 'what a request takes where the trace does not say it',
    },
    concurrency: {
      value: 'NUMBER',
      description: 'requests that a pod runs at once, each as fast as alone (default concurrencyLimit, or else target)',
    },
    function: { value: 'NAME', description: 'which function, where the manifest has several' },
    svg: { value: 'FILE', description: 'where to draw', default: 'simulation.svg' },
  },
  run: async (positionals, options, terminal) => {
    const [trace, manifest] = positionals;
    if (trace === undefined || manifest === undefined || positionals.length > 2) {
      throw new UsageError('Name one trace and one manifest.');
    }
    const startSeconds = number(options, 'start-seconds', 0, 86_400) ?? 0;
    const serviceMilliseconds = number(options, 'service-milliseconds', 0, 3_600_000);
    const { metadata, spec } = await readFunction(manifest, options['function']);
    const slots = number(options, 'concurrency', 1, 100_000) ?? slotsOf(spec);
    const arrivals = readTrace(trace, await readText(trace), serviceMilliseconds);
    const result = run({ spec, arrivals, startSeconds, slots });
    const gpus = gpusOf(spec);
    for (const line of summarise(result, gpus)) terminal.out(line);
    const file = options['svg'] ?? '';
    await writeFile(file, draw(`${metadata.name} with ${trace}`, result, gpus));
    terminal.err(`Drew ${file}.`);
    return 0;
  },
};

function draw(title: string, { moments }: SimulationResult, gpus: number): string {
  const cost = gpus === 0 ? 'pod-seconds' : 'GPU-seconds';
  const values = (of: (moment: SimulationResult['moments'][number]) => number): number[] => moments.map(of);
  return plot(title, moments.at(-1)?.at ?? 0, [
    {
      title: 'Replicas',
      unit: 'pods',
      series: [
        {
          label: 'starting',
          colour: 'orange',
          kind: 'area',
          values: values(({ ready, starting }) => ready + starting),
        },
        { label: 'ready', colour: 'blue', kind: 'area', values: values(({ ready }) => ready) },
        { label: 'desired', colour: 'ink', kind: 'line', values: values(({ desired }) => desired) },
      ],
    },
    {
      title: 'Requests',
      unit: 'at once',
      series: [
        { label: 'waiting', colour: 'red', kind: 'area', values: values(({ waiting }) => waiting) },
        { label: 'running', colour: 'blue', kind: 'line', values: values(({ running }) => running) },
      ],
    },
    {
      title: 'Cost since the begin',
      unit: cost,
      series: [
        { label: cost, colour: 'blue', kind: 'line', values: values((each) => each.podSeconds * Math.max(1, gpus)) },
      ],
    },
  ]);
}

async function readFunction(path: string, name: string | undefined): Promise<ModelFunction> {
  const { manifests, findings, valid } = readManifests(await readManifestFiles([path]));
  if (!valid) throw new Error(findings.join('\n'));
  const functions = [...manifests.values()].filter(({ metadata }) => name === undefined || metadata.name === name);
  const [found] = functions;
  const names = [...manifests.values()].map(({ metadata }) => metadata.name).join(', ');
  if (found === undefined)
    throw new Error(`${path}: holds no ModelFunction${name === undefined ? '' : ` ${name}; it has ${names}`}.`);
  if (functions.length > 1)
    throw new UsageError(`${path} holds several functions: name one of ${names} with --function.`);
  return admit(MODEL_FUNCTION_DEFINITION, found).object as ModelFunction;
}

/** With `RequestsPerSecond` a target says nothing of requests at once. */
function slotsOf(spec: ModelFunctionSpec): number {
  if (spec.concurrencyLimit > 0) return spec.concurrencyLimit;
  return spec.scaling.metric === 'Concurrency' ? scalingSettings(spec).target : 1;
}

/** Of one pod: everything that a device plugin calls a GPU, such as `nvidia.com/gpu`. */
function gpusOf({ resources }: ModelFunctionSpec): number {
  return Object.entries(resources?.limits ?? {})
    .filter(([name]) => name.endsWith('/gpu'))
    .reduce((sum, [, amount]) => sum + Number(parseQuantity(String(amount)) ?? 0) / 1e9, 0);
}

function number(options: OptionValues, name: string, least: number, most: number): number | undefined {
  const given = options[name];
  if (given === undefined) return undefined;
  const value = Number(given);
  if (given.trim() !== '' && value >= least && value <= most) return value;
  throw new UsageError(`--${name} must be a number from ${least} to ${most}, not ${JSON.stringify(given)}.`);
}

async function readText(path: string): Promise<string> {
  const file = await open(path);
  try {
    const stats = await file.stat();
    const { size } = stats;
    if (!stats.isFile()) throw new Error(`${path}: is no file.`);
    if (size > MOST_BYTES) throw new Error(`${path}: has ${size} bytes; a trace may have ${MOST_BYTES}.`);
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}
