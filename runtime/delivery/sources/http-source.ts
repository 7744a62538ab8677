/** Models on any server that speaks HTTP. Nothing lists a folder there: the URI names the ONNX file or an archive. */
import { MODEL_SECRET_ENVIRONMENT as SECRET } from '../../../common/wire/model-credentials.ts';
import type { Authorize } from '../http/http-client.ts';
import { setting } from './setting.ts';
import { encodePath, type RemoteObject, type Source, type SourceOptions } from './source.ts';

/** Credentials in the URI, as `pilotlight serve` may be given, come before those of the environment. */
export function httpSource(uri: URL, { environment }: SourceOptions): Source {
  const url = new URL(uri.href);
  const authorization = authorizationOf(url, environment);
  url.username = '';
  url.password = '';
  url.hash = '';
  const authorize: Authorize | undefined =
    authorization === undefined ? undefined : () => Promise.resolve({ authorization });
  const object = (at: URL): RemoteObject => ({
    name: lastSegment(at),
    target: { url: at, authorize },
    beside: (path) => {
      const other = new URL(at.href);
      other.pathname = at.pathname.slice(0, at.pathname.lastIndexOf('/') + 1) + encodePath(path);
      return object(other);
    },
  });
  return { object: object(url), looksLikeFolder: false, below: object(url).beside };
}

/** As the file is called, not as a URL writes it: its name is part of what pins a model of several files. */
function lastSegment({ pathname }: URL): string {
  const segment = pathname.slice(pathname.lastIndexOf('/') + 1);
  try {
    const name = decodeURIComponent(segment);
    return name.includes('/') ? segment : name;
  } catch {
    return segment;
  }
}

function authorizationOf(url: URL, environment: SourceOptions['environment']): string | undefined {
  const basic = (user: string, password: string): string =>
    `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
  if (url.username !== '' || url.password !== '')
    return basic(decodeURIComponent(url.username), decodeURIComponent(url.password));
  const token = setting(environment, SECRET.token);
  if (token !== undefined) return `Bearer ${token}`;
  const user = setting(environment, SECRET.username);
  return user === undefined ? undefined : basic(user, environment[SECRET.password] ?? '');
}
