/** What the image and the chart start the operator and a gateway with, read where it is written, so that what is measured is what is deployed. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..', '..');

/** The image's environment, and as NODE_OPTIONS the flags of Node that the chart gives; not the compile cache, which is a folder of the image. */
export function deployedEnvironment(program: 'operator' | 'gateway'): Record<string, string> {
  const dockerfile = read('operator', 'Dockerfile');
  // The last stage's; the ones before make files for it.
  const [, assignments = ''] = [...dockerfile.matchAll(/^ENV (.+)$/gm)].at(-1) ?? [];
  const environment = Object.fromEntries(
    [...assignments.matchAll(/([A-Z_]+)=(\S+)/g)].map(([, name = '', value = '']) => [name, value]),
  );
  delete environment['NODE_COMPILE_CACHE'];
  const deployment = read('charts', 'pilotlight', 'templates', program, 'deployment.yaml');
  const [, flags] = new RegExp(`args: \\[(.+), ${program}\\.js\\]`).exec(deployment) ?? [];
  if (flags === undefined || environment['MALLOC_TRIM_THRESHOLD_'] === undefined) {
    throw new Error(`operator/Dockerfile or the chart no longer says how the ${program} is started as this reads it.`);
  }
  return { ...environment, NODE_OPTIONS: flags.replaceAll(',', '') };
}

function read(...path: string[]): string {
  return readFileSync(join(ROOT, ...path), 'utf8');
}
