/**
 * Where the API server is and who we are to it, from a kubeconfig or from the pod's service account. Reading both, running exec plug-ins and
 * re-reading a rotated token are client-node's; sending requests is not, because it opens a new TLS connection for each of them.
 */
import type { AgentOptions, RequestOptions } from 'node:https';
import { KubeConfig, type DispatcherOptions } from '@kubernetes/client-node';

export interface Access {
  /** URL without a trailing slash; it may have a path. */
  readonly server: string;
  /** Headers and TLS material as of now: tokens and certificates rotate, so ask before each request. */
  authorize(): Promise<Authorization>;
}

export interface Authorization {
  readonly headers: Readonly<Record<string, string>>;
  readonly dispatcher: DispatcherOptions;
}

/** Reads a kubeconfig; without a path, the pod's service account. Throws with what is missing. */
export function loadAccess(kubeconfigPath: string | undefined): Access {
  const config = new KubeConfig();
  if (kubeconfigPath !== undefined) config.loadFromFile(kubeconfigPath);
  else if (process.env['KUBERNETES_SERVICE_HOST'] !== undefined) config.loadFromCluster();
  else throw new Error('Not in a pod (KUBERNETES_SERVICE_HOST is unset): give the path of a kubeconfig.');
  return accessOf(config, kubeconfigPath ?? "the pod's service account");
}

function accessOf(config: KubeConfig, from: string): Access {
  const cluster = config.getCurrentCluster();
  if (cluster === null) throw new Error(`${from} names no cluster: set current-context to a context that has one.`);
  const url = new URL(cluster.server);
  if (url.protocol === 'http:') {
    // As served by `kubectl proxy`. client-node asks for this flag so that no token crosses a network in the clear.
    if (!isLoopback(url.hostname)) throw new Error(`${from}: ${cluster.server} must be https (or on this machine).`);
    config.clusters = config.clusters.map((it) => (it.name === cluster.name ? { ...it, skipTLSVerify: true } : it));
  }
  const authorize = async (): Promise<Authorization> => {
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
  };
  // Callers that come while an exec plug-in runs share its run.
  let running: Promise<Authorization> | undefined;
  return {
    server: cluster.server.replace(/\/+$/, ''),
    authorize: () => {
      running ??= authorize().finally(() => {
        running = undefined;
      });
      return running;
    },
  };
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(host);
}
