/** `pilotlight simulate`: walks a trace of requests through the autoscaler, with the settings of one function or several and in no time. */
import { open, writeFile } from 'node:fs/promises';
import { admit } from '../../common/api/admission/admit.ts';
import { MODEL_FUNCTION_DEFINITION } from '../../common/api/generated/model-function-definition.ts';
import type { ModelFunction, ModelFunctionSpec } from '../../common/api/kinds.ts';
import { parseQuantity } from '../../common/api/quantity.ts';
import { scalingSettings } from '../../operator/autoscaler/scaling-settings.ts';
import { needsOf, ownerOf, parseBudgets, type Budget } from '../../operator/capacity/budget.ts';
import { simulate as run } from '../../operator/simulation/simulate.ts';
import { type Command, type OptionValues, UsageError } from '../command.ts';
import { readManifestFiles } from '../local/manifest-files.ts';
import { readManifests } from '../local/manifests.ts';
import { draw } from './draw.ts';
import { readTrace } from './read-trace.ts';
import { summarise, summariseBudget } from './summarise.ts';

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
    function: { value: 'NAME', description: 'only this one, where the manifest has several' },
    budgets: {
      value: 'LIMITS',
      description: 'what all pods may have of extended resources, as nvidia.com/gpu=4 or research:nvidia.com/gpu=2,…',
    },
    svg: { value: 'FILE', description: 'where to draw', default: 'simulation.svg' },
  },
  run: async (positionals, options, terminal) => {
    const [trace, manifest] = positionals;
    if (trace === undefined || manifest === undefined || positionals.length > 2) {
      throw new UsageError('Name one trace and one manifest.');
    }
    const startSeconds = number(options, 'start-seconds', 0, 86_400) ?? 0;
    const serviceMilliseconds = number(options, 'service-milliseconds', 0, 3_600_000);
    const concurrency = number(options, 'concurrency', 1, 100_000);
    const budgets = budgetsOf(options['budgets']);
    const all = await readFunctions(manifest);
    const chosen = choose(manifest, all, options['function']);
    const only = chosen.length === 1 ? chosen[0]?.label : undefined;
    const functions = all.map(({ label }) => label);
    const traced = readTrace(trace, await readText(trace), { functions, only, serviceMilliseconds });
    const inputs = chosen.map(({ label, namespace, spec }) => {
      const slots = concurrency ?? slotsOf(spec);
      return { namespace, name: label, spec, arrivals: traced.get(label) ?? [], startSeconds, slots };
    });
    const results = run({ functions: inputs, budgets });
    const drawn = inputs.flatMap(({ name, spec }, index) => {
      const result = results.functions[index];
      return result === undefined ? [] : [{ name, result, gpus: gpusOf(spec) }];
    });
    for (const { name, result, gpus } of drawn) {
      if (drawn.length > 1) terminal.out(`${name}:`);
      for (const line of summarise(result, gpus)) terminal.out(line);
      if (drawn.length > 1 || budgets.length > 0) terminal.out('');
    }
    for (const use of results.budgets) terminal.out(summariseBudget(use));
    for (const line of unused(budgets, chosen)) terminal.err(line);
    const file = options['svg'] ?? '';
    await writeFile(file, draw(`${drawn.map(({ name }) => name).join(', ')} with ${trace}`, drawn, results.budgets));
    terminal.err(`Drew ${file}.`);
    return 0;
  },
};

interface NamedFunction {
  /** Its name, with its namespace where another one has the same. */
  readonly label: string;
  readonly namespace: string;
  readonly spec: ModelFunctionSpec;
}

async function readFunctions(path: string): Promise<NamedFunction[]> {
  const { manifests, findings, valid } = readManifests(await readManifestFiles([path]));
  if (!valid) throw new Error(findings.join('\n'));
  const all = [...manifests.values()].map((manifest) => {
    const { metadata, spec } = admit(MODEL_FUNCTION_DEFINITION, manifest).object as ModelFunction;
    return { name: metadata.name, namespace: metadata.namespace ?? 'default', spec };
  });
  if (all.length === 0) throw new Error(`${path}: holds no ModelFunction.`);
  return all.map(({ name, namespace, spec }) => {
    const isAlone = all.filter((other) => other.name === name).length === 1;
    return { label: isAlone ? name : `${namespace}/${name}`, namespace, spec };
  });
}

function choose(path: string, all: readonly NamedFunction[], name: string | undefined): readonly NamedFunction[] {
  if (name === undefined) return all;
  const found = all.filter(({ label }) => label === name);
  const labels = all.map(({ label }) => label).join(', ');
  if (found.length === 0) throw new Error(`${path}: holds no ModelFunction ${name}; it has ${labels}.`);
  return found;
}

function budgetsOf(given: string | undefined): readonly Budget[] {
  try {
    return parseBudgets('--budgets', given);
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

/** A mistyped resource would look like a budget that is large enough. */
function unused(budgets: readonly Budget[], functions: readonly NamedFunction[]): string[] {
  const isUsed = (budget: Budget): boolean =>
    functions.some(({ namespace, spec }) => budget.resource in needsOf([budget], namespace, [spec.resources?.limits]));
  return budgets
    .filter((budget) => !isUsed(budget))
    .map((budget) => {
      const { resource } = budget;
      return `The budget ${resource} of ${ownerOf(budget)} bounds nothing: no function there has ${resource} in spec.resources.limits.`;
    });
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
