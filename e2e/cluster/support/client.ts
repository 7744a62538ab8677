/**
 * A client inside the cluster, for a test outside of it: a pod that sends requests and counts what becomes of them. Commands go to it through
 * `kubectl exec`. While the API server is away they wait; the pod's loads go on.
 */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import type {
  ClientAnswer,
  ClientRequest,
  GrpcRequest,
  Command,
  LoadCondition,
  LoadReport,
  LoadSpec,
  ReplyLine,
} from './client/protocol.ts';
import { deployment, OPERATOR } from './installation.ts';
import { kubectl } from './kubectl.ts';
import { PODS } from '../../../operator/cluster/resources.ts';
import { applyObjects, getObject } from './objects.ts';
import { PATIENCE_SECONDS } from './object-watch.ts';

const NAME = 'client';
const SOURCE = join(import.meta.dirname, 'client');
const PROGRAMS = '/opt/client';
const CONTROL_PORT = '7000';
const MODELS_PORT = '7001';
const RETRY_MILLISECONDS = 500;

/** An answer with its body parsed; empty if it is no JSON. */
export interface Answer extends ClientAnswer {
  readonly json: Readonly<Record<string, unknown>>;
}

export class Client {
  readonly #namespace: string;
  readonly #address: string;
  #session: Session | undefined;
  #names = 0;

  private constructor(namespace: string, address: string) {
    this.#namespace = namespace;
    this.#address = address;
  }

  static async start(namespace: string): Promise<Client> {
    await applyObjects(programs(namespace), await pod(namespace));
    await kubectl(['wait', '-n', namespace, `pod/${NAME}`, '--for=condition=Ready', `--timeout=${PATIENCE_SECONDS}s`], {
      timeoutSeconds: PATIENCE_SECONDS + 10,
    });
    const { status } = (await getObject(PODS, { namespace, name: NAME })) ?? {};
    return new Client(namespace, status?.podIP ?? '');
  }

  /** Serves a model file, or what is to be taken for one, to runtimes; gives its URI. `held` lets them wait until something else is served. */
  async serveModel(path: string, model: Buffer | 'held'): Promise<string> {
    const content = model === 'held' ? model : { base64: model.toString('base64') };
    await this.#repeat({ command: 'serveModel', path, model: content });
    const host = this.#address.includes(':') ? `[${this.#address}]` : this.#address;
    return `http://${host}:${MODELS_PORT}${path}`;
  }

  async send(request: ClientRequest | GrpcRequest): Promise<Answer> {
    return parsed((await this.#say({ command: 'send', request })) as ClientAnswer);
  }

  /** A request that a pod has and cannot answer yet: the end of its body is kept back until `finish`. */
  async open(request: ClientRequest): Promise<OpenRequest> {
    const name = `request-${++this.#names}`;
    await this.#repeat({ command: 'open', name, request });
    return {
      finish: async () => parsed((await this.#repeat({ command: 'finish', name })) as ClientAnswer),
      abort: async () => {
        await this.#repeat({ command: 'abort', name });
      },
    };
  }

  /** Begins a steady load; it goes on until it is stopped. */
  async load(load: LoadSpec): Promise<Load> {
    const name = `load-${++this.#names}`;
    await this.#repeat({ command: 'startLoad', name, load });
    return {
      until: async (condition, seconds) =>
        (await this.#repeat({ command: 'awaitLoad', name, condition }, seconds)) as LoadReport,
      report: async () => (await this.#repeat({ command: 'reportLoad', name })) as LoadReport,
      stop: async () => (await this.#repeat({ command: 'stopLoad', name })) as LoadReport,
    };
  }

  close(): void {
    this.#session?.close();
  }

  /** Until it is answered, through as many sessions as it takes. */
  async #repeat(command: Command, seconds = 2 * PATIENCE_SECONDS): Promise<unknown> {
    const deadline = Date.now() + seconds * 1000;
    for (;;) {
      const timeout = AbortSignal.timeout(Math.max(1, deadline - Date.now()));
      try {
        return await this.#say(command, timeout);
      } catch (error) {
        if (!(error instanceof SessionEnded) || timeout.aborted) throw error;
        await delay(RETRY_MILLISECONDS);
      }
    }
  }

  #say(command: Command, timeout = AbortSignal.timeout(4 * PATIENCE_SECONDS * 1000)): Promise<unknown> {
    if (this.#session?.isOpen !== true) this.#session = new Session(this.#namespace);
    return this.#session.say(command, timeout);
  }
}

export interface OpenRequest {
  finish(): Promise<Answer>;
  abort(): Promise<void>;
}

export interface Load {
  /** Waits for requests from now on, and gives what was counted since the beginning. Throws if it takes longer than `seconds`. */
  until(condition: LoadCondition, seconds?: number): Promise<LoadReport>;
  report(): Promise<LoadReport>;
  /** Resolves when every request that was sent has ended. May be asked again. */
  stop(): Promise<LoadReport>;
}

class SessionEnded extends Error {}

/** One `kubectl exec`. */
class Session {
  isOpen = true;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #pending = new Map<number, { resolve: (result: unknown) => void; reject: (error: Error) => void }>();
  #ids = 0;
  #stderr = '';

  constructor(namespace: string) {
    const bridge = ['node', `${PROGRAMS}/bridge.ts`, CONTROL_PORT];
    this.#child = spawn('kubectl', ['exec', '-i', '-n', namespace, NAME, '--', ...bridge]);
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => (this.#stderr += text));
    this.#child.stdin.on('error', () => undefined);
    createInterface(this.#child.stdout).on('line', (line) => this.#hear(JSON.parse(line) as ReplyLine));
    this.#child.on('error', (error) => this.#end(error.message));
    this.#child.on('close', () => this.#end(this.#stderr.trim()));
  }

  async say(command: Command, timeout: AbortSignal): Promise<unknown> {
    const id = ++this.#ids;
    return new Promise((resolve, reject) => {
      const what = JSON.stringify(command).slice(0, 300);
      timeout.addEventListener('abort', () => reject(new Error(`The client in the cluster did not answer: ${what}`)));
      this.#pending.set(id, { resolve, reject });
      this.#child.stdin.write(`${JSON.stringify({ ...command, id })}\n`);
    });
  }

  close(): void {
    this.#child.kill('SIGKILL');
  }

  #hear(reply: ReplyLine): void {
    const waiting = this.#pending.get(reply.id);
    this.#pending.delete(reply.id);
    if ('error' in reply) waiting?.reject(new Error(reply.error));
    else waiting?.resolve(reply.result);
  }

  #end(why: string): void {
    this.isOpen = false;
    for (const { reject } of this.#pending.values()) {
      reject(new SessionEnded(`The connection to the client in the cluster ended: ${why}`));
    }
    this.#pending.clear();
  }
}

function parsed(answer: ClientAnswer): Answer {
  const isJson = answer.headers['content-type']?.startsWith('application/json') === true && answer.body !== '';
  return { ...answer, json: isJson ? (JSON.parse(answer.body) as Answer['json']) : {} };
}

function programs(namespace: string): object {
  const sources = readdirSync(SOURCE).filter((file) => !file.endsWith('.test.ts'));
  const files = sources.map((file): [string, string] => [file, readFileSync(join(SOURCE, file), 'utf8')]);
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { namespace, name: NAME },
    data: Object.fromEntries([...files, ['package.json', '{"type":"module"}']]),
  };
}

/** In the operator's image, which has Node and is there already. */
async function pod(namespace: string): Promise<object> {
  const { containers, imagePullSecrets } = (await deployment(OPERATOR)).spec.template.spec;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace, name: NAME },
    spec: {
      terminationGracePeriodSeconds: 0,
      automountServiceAccountToken: false,
      ...(imagePullSecrets === undefined ? {} : { imagePullSecrets }),
      securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
      volumes: [{ name: 'programs', configMap: { name: NAME } }],
      containers: [
        {
          name: NAME,
          image: containers[0]?.image,
          imagePullPolicy: containers[0]?.imagePullPolicy,
          command: ['node', `${PROGRAMS}/agent.ts`, CONTROL_PORT, MODELS_PORT],
          // Names are looked up in threads, 4 of them by default; one that is not found must not hold up the others.
          env: [{ name: 'UV_THREADPOOL_SIZE', value: '32' }],
          volumeMounts: [{ name: 'programs', mountPath: PROGRAMS }],
          resources: { requests: { cpu: '10m', memory: '64Mi' } },
          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
        },
      ],
    },
  };
}
