/** Why something was not fetched, and whether another attempt could help. */
import { ConnectionError } from './http/connection.ts';
import { HttpProtocolError } from './http/response-head.ts';
import { errorCode, errorText } from '../node-error.ts';

export type DownloadErrorKind =
  /** It may be gone in a moment. */
  | 'temporary'
  | 'lasting'
  /** The server says that there is nothing. */
  | 'notFound'
  /** What is there is no longer what was begun with. */
  | 'changed';

export class DownloadError extends Error {
  override readonly name = 'DownloadError';
  readonly kind: DownloadErrorKind;
  /** Of the server's answer, where it was one. */
  readonly status: number | undefined;
  /** Milliseconds that the server wants to be left alone for. */
  readonly pauseMilliseconds: number;

  constructor(message: string, kind: DownloadErrorKind, status?: number, pauseMilliseconds = 0) {
    super(message);
    this.kind = kind;
    this.status = status;
    this.pauseMilliseconds = pauseMilliseconds;
  }
}

/** S3 and its like name the reason in XML; anything else of a body is not repeated, because nobody knows what is in it. */
export function statusError(status: number, body = '', pauseMilliseconds = 0): DownloadError {
  const code = /<Code>([A-Za-z]{1,64})<\/Code>/.exec(body)?.[1];
  const answered = `the server answered ${status}${code === undefined ? '' : ` ${code}`}`;
  if (status === 404 || status === 410) return new DownloadError(answered, 'notFound', status);
  if (status === 401 || status === 403) {
    return new DownloadError(`${answered}: it wants credentials, or others`, 'lasting', status);
  }
  const temporary = status >= 500 || status === 408 || status === 425 || status === 429;
  return new DownloadError(answered, temporary ? 'temporary' : 'lasting', status, pauseMilliseconds);
}

/** Anything that went wrong on the way, as DownloadError. */
export function toDownloadError(error: unknown): DownloadError {
  if (error instanceof DownloadError) return error;
  if (error instanceof HttpProtocolError) return new DownloadError(error.message, 'lasting');
  if (error instanceof ConnectionError) return new DownloadError(error.message, 'temporary');
  const code = errorCode(error);
  return new DownloadError(describe(code) ?? errorText(error), isLasting(code) ? 'lasting' : 'temporary');
}

function isLasting(code: string | undefined): boolean {
  return code === 'ENOSPC' || code === 'EDQUOT' || code === 'EROFS' || /CERT|SELF_SIGNED|VERIFY/.test(code ?? '');
}

function describe(code: string | undefined): string | undefined {
  switch (code) {
    case 'ECONNREFUSED':
      return 'the connection was refused';
    case 'ECONNRESET':
    case 'EPIPE':
      return 'the connection was reset';
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'the host name has no address';
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return 'the host cannot be reached';
    case 'ENOSPC':
    case 'EDQUOT':
      return 'the disk is full';
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
      return 'its certificate is of an authority that is not trusted; put that into the key ca.crt of the Secret';
    case 'EPROTO':
      // OpenSSL's own words name its source files.
      return 'it does not speak TLS, or no version of it that is spoken here';
    default:
      return undefined;
  }
}
