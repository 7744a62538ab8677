/**
 * Where the API server is and who we are to it, from a kubeconfig or from the pod's service account. Reading both and running exec plug-ins are
 * client-node's; sending requests is not, because it opens a new TLS connection for each of them.
 *
 * The kubelet rotates a pod's token long before it expires. client-node reads the file again after a minute, and asks an exec plug-in again when its
 * credential says that it expires; what is refused before that is read anew because of the refusal.
 */
import { readFileSync } from 'node:fs';
import type { AgentOptions, RequestOptions } from 'node:https';
import { dirname, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { KubeConfig, type DispatcherOptions } from '@kubernetes/client-node';
import { load } from 'js-yaml';

export interface Access {
  /** URL without a trailing slash; it may have a path. */
  readonly server: string;
  /** Headers and TLS material as of now: tokens and certificates rotate, so ask before each request. */
  authorize(): Promise<Authorization>;
  /** The API server refused these credentials: the next ones are read from their source, be it a file or a plug-in. */
  renew(refused: Authorization): void;
}

export interface Authorization {
  readonly headers: Readonly<Record<string, string>>;
  readonly dispatcher: DispatcherOptions;
}

/** Reads a kubeconfig; without a path, the pod's service account. Throws with what is missing. */
export function loadAccess(kubeconfigPath: string | undefined): Access {
  let config = loadConfig(kubeconfigPath);
  const server = serverOf(config);
  /** Handed out last; undefined between a renewal and the next one. */
  let latest: Authorization | undefined;
  // Callers that come while an exec plug-in runs share its run.
  let running: Promise<Authorization> | undefined;
  return {
    server,
    authorize: () => {
      running ??= authorize(config)
        .then((authorization) => {
          latest = authorization;
          return authorization;
        })
        .finally(() => {
          running = undefined;
        });
      return running;
    },
    renew: (refused) => {
      // Otherwise another refusal has led to newer ones already.
      if (!isDeepStrictEqual(latest, refused)) return;
      const next = loadConfig(kubeconfigPath);
      // A kubeconfig that names another cluster by now has no credentials for this one.
      if (serverOf(next) !== server) return;
      config = next;
      latest = undefined;
      running = undefined;
    },
  };
}

function serverOf(config: KubeConfig): string {
  return config.getCurrentCluster()?.server.replace(/\/+$/, '') ?? '';
}

function loadConfig(kubeconfigPath: string | undefined): KubeConfig {
  const config = new KubeConfig();
  if (kubeconfigPath !== undefined) {
    config.loadFromFile(kubeconfigPath);
    takeTokenFiles(config, kubeconfigPath);
  } else if (process.env['KUBERNETES_SERVICE_HOST'] !== undefined) config.loadFromCluster();
  else throw new Error('Not in a pod (KUBERNETES_SERVICE_HOST is unset): give the path of a kubeconfig.');
  checkCluster(config, kubeconfigPath ?? "the pod's service account");
  return config;
}

/** `tokenFile` of a user, which client-node overlooks; as with kubectl, it counts for more than `token`. */
function takeTokenFiles(config: KubeConfig, path: string): void {
  const { users } = load(readFileSync(path, 'utf8')) as {
    readonly users?: readonly { readonly name: string; readonly user?: { readonly tokenFile?: string } }[];
  };
  config.users = config.users.map(({ token, ...user }) => {
    const tokenFile = users?.find(({ name }) => name === user.name)?.user?.tokenFile;
    if (tokenFile === undefined) return token === undefined ? user : { ...user, token };
    return {
      ...user,
      authProvider: { name: 'tokenFile', config: { tokenFile: resolve(dirname(path), tokenFile) } },
    };
  });
}

function checkCluster(config: KubeConfig, from: string): void {
  const cluster = config.getCurrentCluster();
  if (cluster === null) throw new Error(`${from} names no cluster: set current-context to a context that has one.`);
  const url = new URL(cluster.server);
  if (url.protocol === 'http:') {
    // As served by `kubectl proxy`. client-node asks for this flag so that no token crosses a network in the clear.
    if (!isLoopback(url.hostname)) throw new Error(`${from}: ${cluster.server} must be https (or on this machine).`);
    config.clusters = config.clusters.map((it) => (it.name === cluster.name ? { ...it, skipTLSVerify: true } : it));
  }
}

async function authorize(config: KubeConfig): Promise<Authorization> {
  const options: RequestOptions = {};
  await config.applyToHTTPSOptions(options);
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(options.headers ?? {})) {
    // A token file may end in a newline, which no header may contain.
    if (typeof value === 'string') headers[name.toLowerCase()] = value.trim();
  }
  if (typeof options.auth === 'string') {
    headers['authorization'] = `Basic ${Buffer.from(options.auth).toString('base64')}`;
  }
  return { headers, dispatcher: config.createDispatcherOptions(config.getCurrentCluster(), options as AgentOptions) };
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(host);
}
