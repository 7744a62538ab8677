/** The API server on a port of this machine, through which a test reaches pods of any cluster by their names. */
import { BackgroundProcess } from './background-process.ts';

export class ApiProxy {
  readonly address: string;
  readonly #process: BackgroundProcess;

  private constructor(process: BackgroundProcess, address: string) {
    this.#process = process;
    this.address = address;
  }

  static async start(): Promise<ApiProxy> {
    const process = new BackgroundProcess('kubectl', ['proxy', '--port=0']);
    return new ApiProxy(process, await process.says(/Starting to serve on (\S+)/));
  }

  /** What a pod answers to GET on one of its ports. */
  async get(namespace: string, pod: string, port: number, path: string): Promise<string> {
    const response = await fetch(
      `http://${this.address}/api/v1/namespaces/${namespace}/pods/${pod}:${port}/proxy${path}`,
    );
    const text = await response.text();
    if (!response.ok) throw new Error(`Pod ${namespace}/${pod} answered ${response.status} to ${path}: ${text}`);
    return text;
  }

  close(): Promise<void> {
    return this.#process.close();
  }
}
