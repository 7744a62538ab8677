/**
 * The runtime's process. The model's threads start before the rest of the program is read, which is a file of its own in dist/ for that: the two take tens
 * of milliseconds each, which pass at the same time where there is a second core.
 */
import { MOST_INSTANCES, RUNTIME_ENVIRONMENT } from '../common/wire/runtime-environment.ts';
import { startThreads } from './model/start-thread.ts';
import type * as Program from './serve.ts';

const PROGRAM = import.meta.url.endsWith('.ts') ? './serve.ts' : './runtime-serve.js';

const threads = startThreads(instancesOf(process.env[RUNTIME_ENVIRONMENT.specification]));
const { serve } = (await import(PROGRAM)) as typeof Program;
await serve(threads);

/** How many sessions a specification asks for. None if it asks for no number of them that there can be: whoever parses all of it says what is wrong. */
function instancesOf(specification = ''): number {
  try {
    const { instances } = JSON.parse(specification) as { instances?: unknown };
    const asked = Number.isInteger(instances) ? (instances as number) : 0;
    return asked <= MOST_INSTANCES ? asked : 0;
  } catch {
    return 0;
  }
}
