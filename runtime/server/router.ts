/** Which handlers answer a path. There is one model, so every path is known when the server starts and a request costs one look-up. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { ProtocolError, quote } from '../protocol/protocol-error.ts';

/** Answers the request, at once or when it resolves. What it throws becomes the answer. */
export type Handler = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

export type Verb = 'GET' | 'POST';

/** Handlers of one path by verb; HEAD is answered where GET is. */
export type Route = Readonly<Partial<Record<Verb, Handler>>>;

/** In place of `/v2/models/M` and `/v2/models/M/versions/V` in the paths of a table. */
export const MODEL = '{model}';
/** For clients that insist on a number; the version's name is the revision's. */
const ANY_VERSION = '1';

export class Router {
  readonly #model: string;
  readonly #version: string;
  readonly #routes = new Map<string, Route>();

  constructor(model: string, version: string, table: Readonly<Record<string, Route>>) {
    this.#model = model;
    this.#version = version;
    const prefix = `/v2/models/${model}`;
    const prefixes = [prefix, `${prefix}/versions/${version}`, `${prefix}/versions/${ANY_VERSION}`];
    for (const [path, route] of Object.entries(table)) {
      if (!path.startsWith(MODEL)) this.#routes.set(path, route);
      else for (const each of prefixes) this.#routes.set(each + path.slice(MODEL.length), route);
    }
  }

  /** Throws ProtocolError 404 where there is nothing, 400 for what is no path. */
  find(url: string): Route {
    return this.#routes.get(url) ?? this.#routes.get(normalise(url)) ?? this.#missing(url);
  }

  #missing(url: string): never {
    const [, model, version, rest = ''] =
      /^\/v2\/models\/([^/]+)(?:\/versions\/([^/]+))?(\/.+)?$/.exec(normalise(url)) ?? [];
    if (model !== undefined && this.#routes.has(`/v2/models/${this.#model}${rest}`)) {
      if (model !== this.#model) {
        throw new ProtocolError(`There is no model ${quote(model)} here; ${quote(this.#model)} is served.`, 404);
      }
      throw new ProtocolError(
        `Model ${quote(model)} has no version ${quote(version ?? '')}; ${quote(this.#version)} is served.`,
        404,
      );
    }
    throw new ProtocolError(`There is nothing at ${quote(url)}; the model is at /v2/models/${this.#model}.`, 404);
  }
}

/** Without query and trailing slash, percent-encoding undone. */
function normalise(url: string): string {
  const [path = ''] = url.split(/\/?(?:\?|$)/, 1);
  try {
    return decodeURI(path);
  } catch {
    throw new ProtocolError(`The path ${quote(url)} is not valid percent-encoding.`);
  }
}
