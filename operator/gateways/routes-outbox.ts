import type { FunctionName, FunctionRoute, GatewaysRoute, RoutesUpdate } from '../../common/wire/routes.ts';

/**
 * What one stream still has to be told about routes. Changes to a function that were not sent yet merge into one, so a gateway that reads slowly
 * gets the latest state of each, and at most one entry a function waits here.
 */
export class RoutesOutbox {
  readonly #changed = new Map<string, FunctionRoute>();
  readonly #removed = new Map<string, FunctionName>();
  #epoch: number | undefined;
  #full = false;
  #gatewaysChanged = false;
  readonly #gateways: () => GatewaysRoute;
  /** Of the stream: a new epoch on the same stream counts on. */
  #sequence = 0;

  /** `gateways` says which there are when they are to be told. */
  constructor(gateways: () => GatewaysRoute) {
    this.#gateways = gateways;
  }

  /** From now on updates are of this epoch, and the next one says everything. */
  begin(epoch: number, routes: Iterable<FunctionRoute>): void {
    this.end();
    this.#epoch = epoch;
    this.#full = true;
    this.#gatewaysChanged = true;
    for (const route of routes) this.publish(route);
  }

  /** Nothing more is sent, until the next begin. */
  end(): void {
    this.#epoch = undefined;
    this.#changed.clear();
    this.#removed.clear();
  }

  gatewaysChanged(): void {
    this.#gatewaysChanged = true;
  }

  publish(route: FunctionRoute): void {
    if (this.#epoch === undefined) return;
    const key = functionKey(route);
    this.#removed.delete(key);
    this.#changed.set(key, route);
  }

  remove({ namespace, name }: FunctionName): void {
    if (this.#epoch === undefined) return;
    const key = functionKey({ namespace, name });
    this.#changed.delete(key);
    this.#removed.set(key, { namespace, name });
  }

  /** The next update to send, which empties the box; undefined when the gateway knows everything. */
  take(): RoutesUpdate | undefined {
    const full = this.#full;
    const gateways = this.#gatewaysChanged ? { gateways: this.#gateways() } : {};
    const isEmpty = !full && !this.#gatewaysChanged && this.#changed.size + this.#removed.size === 0;
    if (this.#epoch === undefined || isEmpty) return undefined;
    const functions = [...this.#changed.values()];
    const removed = full ? [] : [...this.#removed.values()];
    this.#changed.clear();
    this.#removed.clear();
    this.#full = false;
    this.#gatewaysChanged = false;
    return { type: 'routes', epoch: this.#epoch, sequence: ++this.#sequence, full, functions, removed, ...gateways };
  }
}

/** `namespace/name` */
export function functionKey({ namespace, name }: FunctionName): string {
  return `${namespace}/${name}`;
}
