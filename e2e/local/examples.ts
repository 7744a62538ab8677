/** The examples and the small test models, as functions can be made of them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { JsonAnswer } from '../../examples/compare-outputs.ts';

export interface Example {
  /** `file:///…/model.onnx` */
  readonly uri: string;
  readonly model: Buffer;
  readonly request: string;
  readonly expected: JsonAnswer;
}

const ROOT = join(import.meta.dirname, '..', '..');

export const DIGITS = example('digits');
export const VOICE_ACTIVITY = example('voice-activity');

/** Runs for as many rounds as it is told: `trips` INT64 [] to `y` FP32 []. */
export const LOOP = fixtureUri('loop');

/** A run that no test outlives. */
export const ENDLESS = trips(1_000_000_000);
export const SHORT = trips(1);

function trips(count: number): string {
  return JSON.stringify({ inputs: [{ name: 'trips', datatype: 'INT64', shape: [], data: [count] }] });
}

function example(name: string): Example {
  const folder = join(ROOT, 'examples', name);
  const path = join(folder, 'model.onnx');
  return {
    uri: pathToFileURL(path).href,
    model: readFileSync(path),
    request: readFileSync(join(folder, 'request.json'), 'utf8'),
    expected: JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')) as JsonAnswer,
  };
}

function fixtureUri(name: string): string {
  return pathToFileURL(join(ROOT, 'runtime', 'model', 'fixtures', `${name}.onnx`)).href;
}
