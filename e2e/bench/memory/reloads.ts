/** Resident memory of one process that loads a 100 MB model and lets it go, again and again. */
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { RUNTIME_ALLOCATOR } from '../../../common/wire/runtime-environment.ts';
import { MeasuredProcess } from '../../server/measured-process.ts';
import type { Workplace } from '../../server/start-runtime.ts';
import { writeMlp } from '../runtime/models.ts';

const RELOADS = 20;
const MAX_GROWTH_MEBIBYTES = 10;

/** Gives whether the goal was met. */
export async function measureReloads(workplace: Workplace): Promise<boolean> {
  const path = join(workplace.directory, 'mlp.onnx');
  writeMlp(path);
  const program = join(import.meta.dirname, 'reloading.ts');
  const started = new MeasuredProcess(process.execPath, [program, path, String(RELOADS)], {
    environment: RUNTIME_ALLOCATOR,
  });
  workplace.own(started);
  const readings: number[] = [];
  const lines = createInterface(started.child.stdout).on('line', (line) => readings.push(Number(line)));
  await once(lines, 'close');
  if (readings.length !== RELOADS) throw new Error(`The model was loaded ${readings.length} times: ${started.errors}`);
  console.log(`\nResident memory after each of ${RELOADS} loads of a 100 MB model, MiB\n`);
  console.log(readings.map((reading) => reading.toFixed(0)).join(' '));
  // What is held shows where a collection has just been: between two of them a closed thread's memory comes and goes.
  const growth = Math.min(...readings.slice(RELOADS / 2)) - Math.min(...readings.slice(0, RELOADS / 2));
  const met = growth < MAX_GROWTH_MEBIBYTES;
  console.log(
    `\nLowest of the second half less lowest of the first, MiB: ${growth.toFixed(1)} (goal: less than ${MAX_GROWTH_MEBIBYTES}${met ? '' : ', MISSED'})`,
  );
  return met;
}
