/** Serves model files to the runtimes of a suite, when and as its tests say. */
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { Model } from './protocol.ts';

export class ModelServer {
  readonly #models = new Map<string, Model>();
  readonly #waiting = new Map<string, ServerResponse[]>();
  readonly #server = createServer(({ url = '' }, response) => this.#answer(url, response));

  /** On every address of the pod. */
  async listen(port: number): Promise<void> {
    this.#server.listen(port);
    await once(this.#server, 'listening');
  }

  /** From now on, and to those who wait. */
  serve(path: string, model: Model): void {
    this.#models.set(path, model);
    const waiting = this.#waiting.get(path) ?? [];
    this.#waiting.delete(path);
    for (const response of waiting) this.#answer(path, response);
  }

  #answer(path: string, response: ServerResponse): void {
    const model = this.#models.get(path);
    if (model === 'held') this.#waiting.set(path, [...(this.#waiting.get(path) ?? []), response]);
    else if (model === undefined) response.writeHead(404).end();
    else response.end(Buffer.from(model.base64, 'base64'));
  }
}
