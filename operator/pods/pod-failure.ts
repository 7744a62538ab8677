/** Why a pod does not run, in the words of whoever knows: the runtime's termination message, the kubelet's or the scheduler's. */
import type { Reason } from '../../common/api/reasons.ts';
import { START_FAILURES, type StartFailure, type StartFailureReason } from '../../common/wire/runtime-environment.ts';
import type { ContainerStatus, Pod } from '../cluster/resources.ts';
import { runtimeContainer, runtimeStatus } from './runtime-container.ts';

/** Every reason there is for a pod that does not run. */
export const POD_FAILURE_REASONS = [
  ...(Object.keys(START_FAILURES) as StartFailureReason[]),
  'ImagePullFailed',
  'ContainerNotCreated',
  'Unschedulable',
  'OutOfMemory',
  'Exited',
  'Evicted',
  'PodRejected',
  'StartTimeout',
  'QuotaExceeded',
  'PodRefused',
] as const satisfies readonly Reason[];

export interface PodFailure {
  readonly reason: (typeof POD_FAILURE_REASONS)[number];
  readonly message: string;
  /** The pod will never run: the object is only a record. Otherwise it still tries. */
  readonly ended: boolean;
  /** Trying again changes nothing by itself; somebody must change the model, the spec or the cluster. */
  readonly permanent: boolean;
}

/** Failed starts that the same input leads to again. A transfer that broke may go well the next time. */
const PERMANENT: ReadonlySet<string> = new Set<StartFailureReason>([
  'ConfigurationInvalid',
  'ModelNotFound',
  'ModelDigestMismatch',
  'ModelInvalid',
  'ModelUnsupported',
  'ExecutionProviderUnavailable',
  'WarmUpFailed',
]);

/** The kubelet's `waiting` reasons of an image that it does not get. */
const IMAGE_REASONS = new Set([
  'ErrImagePull',
  'ImagePullBackOff',
  'InvalidImageName',
  'ErrImageNeverPull',
  'ImageInspectError',
  'RegistryUnavailable',
  'SignatureValidationFailed',
]);
const CONTAINER_REASONS = new Set(['CreateContainerConfigError', 'CreateContainerError', 'RunContainerError']);

/** Pod-level reasons of a pod that ran and was taken away, as against one that its node never took. */
const EVICTION_REASONS = new Set(['Evicted', 'NodeLost', 'NodeShutdown', 'Terminated', 'Preempting', 'Shutdown']);

/** Nobody reads more, and a status or a gateway that takes no longer message would refuse all that comes with it. */
const MOST_CHARACTERS = 4096;

/** With as much of the message as is shown. */
export function podFailureOf(
  { reason, message }: Pick<PodFailure, 'reason' | 'message'>,
  consequences: Pick<PodFailure, 'ended' | 'permanent'>,
): PodFailure {
  const shown = message.length > MOST_CHARACTERS ? `${message.slice(0, MOST_CHARACTERS)}…` : message;
  return { reason, message: shown, ...consequences };
}

/** True for a reason that trying again does not change by itself. */
export function isPermanent(reason: string): boolean {
  return PERMANENT.has(reason);
}

/** What keeps the pod from running or ended it; undefined while nothing is known to be wrong. */
export function podFailure(pod: Pod): PodFailure | undefined {
  const { status } = pod;
  const container = runtimeStatus(pod);
  if (status?.phase === 'Failed' || status?.phase === 'Succeeded' || container?.state?.terminated !== undefined) {
    return endedFailure(pod, container);
  }
  const waiting = container?.state?.waiting;
  if (waiting?.reason !== undefined && IMAGE_REASONS.has(waiting.reason)) {
    const image = runtimeContainer(pod)?.image ?? '';
    return standing('ImagePullFailed', `Image ${image}: ${waiting.message ?? waiting.reason}`, true);
  }
  if (waiting?.reason !== undefined && CONTAINER_REASONS.has(waiting.reason)) {
    return standing('ContainerNotCreated', waiting.message ?? waiting.reason, true);
  }
  const scheduled = status?.conditions?.find(({ type }) => type === 'PodScheduled');
  if (scheduled?.status === 'False') {
    return standing('Unschedulable', scheduled.message ?? 'No node fits the pod', false);
  }
  return undefined;
}

/**
 * Why the cluster takes the pod away, from the moment that it begins to: its node is lost or being emptied, or a pod of a higher priority needs the
 * room. Undefined for a pod that is left alone, or that somebody deleted.
 */
export function disruption({ status }: Pod): PodFailure | undefined {
  const target = status?.conditions?.find(({ type }) => type === 'DisruptionTarget');
  if (target?.status !== 'True') return undefined;
  return temporary('Evicted', `${target.reason ?? 'Disrupted'}: ${target.message ?? 'nobody said why'}`);
}

function standing(reason: PodFailure['reason'], message: string, permanent: boolean): PodFailure {
  return podFailureOf({ reason, message }, { ended: false, permanent });
}

function endedFailure(pod: Pod, container: ContainerStatus | undefined): PodFailure {
  const { status } = pod;
  const ended = container?.state?.terminated;
  const start = parseStartFailure(ended?.message);
  // The runtime's supervisor sees only that the process was killed; the kubelet knows by whom.
  const explains = start !== undefined && !(start.reason === 'RuntimeHung' && ended?.reason === 'OOMKilled');
  if (explains) return podFailureOf(start, { ended: true, permanent: isPermanent(start.reason) });
  if (ended?.reason === 'OOMKilled') {
    return temporary('OutOfMemory', 'The process was killed above its memory limit; raise resources.limits.memory');
  }
  if (status?.reason !== undefined) {
    const reason = EVICTION_REASONS.has(status.reason) ? 'Evicted' : 'PodRejected';
    return temporary(reason, `${status.reason}: ${status.message ?? 'the node gave no message'}`);
  }
  const disrupted = disruption(pod);
  if (disrupted !== undefined) return disrupted;
  if (ended === undefined) return temporary('Exited', status?.message ?? 'The pod ended and left no reason');
  const how = ended.signal === undefined ? `with exit code ${ended.exitCode}` : `by signal ${ended.signal}`;
  const text = ended.message?.trim() ?? '';
  return temporary('Exited', text === '' ? `The process ended ${how}` : `The process ended ${how}: ${text}`);
}

function temporary(reason: PodFailure['reason'], message: string): PodFailure {
  return podFailureOf({ reason, message }, { ended: true, permanent: false });
}

/** The termination message, if it is the runtime's own; other programs write what they like. */
function parseStartFailure(text: string | undefined): StartFailure | undefined {
  if (text?.startsWith('{') !== true) return undefined;
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof parsed !== 'object' || parsed === null) return undefined;
  const { reason, message } = parsed as { reason?: unknown; message?: unknown };
  return isStartFailureReason(reason) && typeof message === 'string' ? { reason, message } : undefined;
}

function isStartFailureReason(reason: unknown): reason is StartFailureReason {
  return typeof reason === 'string' && Object.hasOwn(START_FAILURES, reason);
}
