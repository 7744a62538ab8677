/** Turns what the API server answers when it refuses (a Status object, or a proxy's plain text) into a ClusterError. */
import { ClusterError, type ClusterErrorReason, type FieldCause } from '../port.ts';

/** The part of Kubernetes' `Status` that is read here; every field may be absent. */
interface Status {
  readonly message?: string;
  readonly reason?: string;
  readonly code?: number;
  readonly details?: {
    readonly name?: string;
    readonly retryAfterSeconds?: number;
    readonly causes?: readonly { readonly field?: string; readonly message?: string }[];
  };
}

/** A proxy's error page is of no use in a condition or a log. */
const MAX_MESSAGE_LENGTH = 4096;

const BY_REASON: Readonly<Record<string, ClusterErrorReason>> = {
  NotFound: 'NotFound',
  AlreadyExists: 'AlreadyExists',
  Conflict: 'Conflict',
  Invalid: 'Invalid',
  Forbidden: 'Forbidden',
  TooManyRequests: 'TooManyRequests',
};

/** Trying the same again gives the same answer for all of these. */
const BY_STATUS: Readonly<Record<number, ClusterErrorReason>> = {
  400: 'Invalid',
  403: 'Forbidden',
  404: 'NotFound',
  409: 'Conflict',
  413: 'Invalid',
  422: 'Invalid',
  429: 'TooManyRequests',
};

/** `what` says what was being done ("create Pod default/digits-00001-0"). */
export function errorFromResponse(
  what: string,
  response: { readonly status: number; readonly retryAfter: string | undefined; readonly body: string },
): ClusterError {
  return errorFromStatus(what, parseStatus(response.body), response.status, Number(response.retryAfter));
}

/** Of an ERROR event of a watch, or of a response's body. */
export function errorFromStatus(what: string, value: unknown, httpStatus?: number, retryAfter = NaN): ClusterError {
  const status: Status = typeof value === 'object' && value !== null ? value : {};
  const code = httpStatus ?? status.code ?? 500;
  const causes: FieldCause[] = (status.details?.causes ?? []).map(({ field, message }) => ({
    field: field ?? '',
    message: message ?? '',
  }));
  const seconds = Number.isFinite(retryAfter) ? retryAfter : status.details?.retryAfterSeconds;
  if (code === 404 && status.details?.name === undefined) {
    // The path is unknown, not the object: whoever takes this for "the object is gone" would act on a cluster without CRDs.
    return new ClusterError('Unavailable', `${what}: the API server does not serve this resource; install its CRD`, {
      status: code,
    });
  }
  const text = (status.message ?? `HTTP status ${code}`).slice(0, MAX_MESSAGE_LENGTH);
  return new ClusterError(BY_REASON[status.reason ?? ''] ?? BY_STATUS[code] ?? 'Unavailable', `${what}: ${text}`, {
    status: code,
    causes,
    ...(seconds !== undefined && seconds >= 0 && { retryAfterSeconds: seconds }),
  });
}

function parseStatus(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return { message: body.trim() === '' ? undefined : body.trim() };
  }
}
