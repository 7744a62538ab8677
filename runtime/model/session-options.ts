/**
 * ONNX Runtime's options for a session. It ignores names and values that it does not know without a word, so nothing gets here that is not in a table;
 * of its configuration entries only those are named that were seen to work (set_denormal_as_zero is that of the
 * process's first session only), and none that lets it read memory which JavaScript may free.
 */
import type { InferenceSession } from 'onnxruntime-node';
import type { SessionSettings } from '../../common/wire/runtime-environment.ts';
import { runtimeProvider, type ExecutionProvider } from './execution-providers.ts';
import type { SessionOptions } from './session-worker.ts';

type OptimizationLevel = NonNullable<InferenceSession.SessionOptions['graphOptimizationLevel']>;

const LEVELS: Readonly<Record<NonNullable<SessionSettings['graphOptimizationLevel']>, OptimizationLevel>> = {
  Disabled: 'disabled',
  Basic: 'basic',
  Extended: 'extended',
  Layout: 'layout',
  All: 'all',
};

export function sessionOptions(options: SessionOptions): InferenceSession.SessionOptions {
  const { executionProviders, intraOpThreads, optimisedPath, settings = {} } = options;
  const { interOpThreads = 1, memoryArena = 'Enabled' } = settings;
  return {
    executionProviders: executionProviders.map((provider) => providerOption(provider, settings.deviceId)),
    // Explicit, because the default is a thread for each core of the host, pinned, whatever the container's CPU limit is.
    intraOpNumThreads: intraOpThreads,
    interOpNumThreads: interOpThreads,
    executionMode: interOpThreads > 1 ? 'parallel' : 'sequential',
    graphOptimizationLevel: optimisedPath === undefined ? LEVELS[settings.graphOptimizationLevel ?? 'All'] : 'extended',
    ...(optimisedPath !== undefined && { optimizedModelFilePath: optimisedPath }),
    // Both or neither: patterns without the arena made a convolution 1.5 to 1.8 times slower, without either it was 1.02 to 1.07.
    enableCpuMemArena: memoryArena === 'Enabled',
    enableMemPattern: memoryArena === 'Enabled',
    logSeverityLevel: 4,
    extra: { session: sessionEntries(intraOpThreads, settings) },
  };
}

function providerOption(
  provider: ExecutionProvider,
  deviceId: number | undefined,
): InferenceSession.ExecutionProviderConfig {
  const name = runtimeProvider(provider);
  return deviceId === undefined || name === 'cpu' ? name : { name, deviceId };
}

/** Values must be texts: a number or a boolean is ignored. */
function sessionEntries(
  intraOpThreads: number,
  { spinning, prepacking }: SessionSettings,
): Readonly<Record<string, unknown>> {
  return {
    // Threads that spin while they wait burn the very quota that the next run needs.
    ...(intraOpThreads > 1 && { intra_op: { allow_spinning: spinning === 'Enabled' ? '1' : '0' } }),
    ...(prepacking === 'Disabled' && { disable_prepacking: '1' }),
  };
}
