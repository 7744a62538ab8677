import { expect, test } from '@jest/globals';
import type { SessionSettings } from '../../common/wire/runtime-environment.ts';
import type { ExecutionProvider } from './execution-providers.ts';
import { sessionOptions } from './session-options.ts';

const options = (settings: SessionSettings, intraOpThreads = 1, executionProviders: ExecutionProvider[] = ['CPU']) =>
  sessionOptions({ executionProviders, intraOpThreads, settings });

test('a session without settings: all optimisations, one thread, nothing that burns a quota', () => {
  expect(options({})).toEqual({
    executionProviders: ['cpu'],
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
    enableCpuMemArena: true,
    enableMemPattern: true,
    logSeverityLevel: 4,
    extra: { session: {} },
  });
});

test('every setting, as ONNX Runtime names it', () => {
  const settings = {
    graphOptimizationLevel: 'Layout',
    interOpThreads: 3,
    memoryArena: 'Disabled',
    prepacking: 'Disabled',
    spinning: 'Enabled',
    deviceId: 2,
  } as const;
  expect(options(settings, 4, ['CUDA', 'CPU'])).toMatchObject({
    executionProviders: [{ name: 'cuda', deviceId: 2 }, 'cpu'],
    intraOpNumThreads: 4,
    interOpNumThreads: 3,
    executionMode: 'parallel',
    graphOptimizationLevel: 'layout',
    // Never one without the other: it made convolutions slower than neither.
    enableCpuMemArena: false,
    enableMemPattern: false,
    extra: { session: { intra_op: { allow_spinning: '1' }, disable_prepacking: '1' } },
  });
});

test('threads of a run do not spin unless told to', () => {
  expect(options({}, 2).extra).toEqual({ session: { intra_op: { allow_spinning: '0' } } });
});
