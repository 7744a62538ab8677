import { expect, test } from '@jest/globals';
import { Registry } from 'prom-client';
import type { ModelFunction } from '../../common/api/kinds.ts';
import { functionMetrics } from './function-metrics.ts';
import { modelFunction } from './object-fixtures.ts';

function readyAs(status: 'True' | 'False', reason: string): ModelFunction {
  const lastTransitionTime = '2026-01-01T00:00:00Z';
  return modelFunction({}, { conditions: [{ type: 'Ready', status, reason, message: '', lastTransitionTime }] });
}

async function series(registry: Registry, name: string): Promise<string[]> {
  const lines = (await registry.metrics()).split('\n');
  return lines.filter((line) => line.startsWith(`${name}{`));
}

test('says what the condition Ready is now, and no more what it was', async () => {
  const registry = new Registry();
  let functions = [readyAs('False', 'ModelNotFound')];
  functionMetrics(registry, () => functions);
  expect(await series(registry, 'pilotlight_function_ready')).toEqual([
    'pilotlight_function_ready{namespace="models",function="digits",status="False",reason="ModelNotFound"} 1',
  ]);
  functions = [readyAs('True', 'Ready')];
  expect(await series(registry, 'pilotlight_function_ready')).toEqual([
    'pilotlight_function_ready{namespace="models",function="digits",status="True",reason="Ready"} 1',
  ]);
  functions = [];
  expect(await series(registry, 'pilotlight_function_ready')).toEqual([]);
});

test('says nothing of the readiness of a function that was not looked at yet, but how many replicas it may have', async () => {
  const registry = new Registry();
  functionMetrics(registry, () => [modelFunction()]);
  expect(await series(registry, 'pilotlight_function_ready')).toEqual([]);
  expect(await series(registry, 'pilotlight_function_max_replicas')).toEqual([
    'pilotlight_function_max_replicas{namespace="models",function="digits"} 10',
  ]);
});
