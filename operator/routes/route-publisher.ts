/** Hands each function's route on when it differs from the last one that was handed on. */
import { isDeepStrictEqual } from 'node:util';
import type { FunctionName, FunctionRoute } from '../../common/wire/routes.ts';
import { viewFunction } from '../controllers/function-view.ts';
import { keyOf, parseKey } from '../cluster/object-key.ts';
import type { Observed } from '../controllers/observed.ts';
import { buildRoute, type RevisionPods } from './build-route.ts';

export interface RouteSink {
  publish(route: FunctionRoute): void;
  remove(name: FunctionName): void;
}

export interface RoutePublisherOptions {
  readonly observed: Observed;
  /** By the revision's `namespace/name`. */
  readonly podsOf: (revisionKey: string) => RevisionPods;
  readonly sink: RouteSink;
}

export class RoutePublisher {
  readonly #options: RoutePublisherOptions;
  readonly #published = new Map<string, FunctionRoute>();

  constructor(options: RoutePublisherOptions) {
    this.#options = options;
  }

  /** Brings the function's route up to date; one that is deleted, or about to be, has none. */
  update(functionKey: string): void {
    const { observed, podsOf, sink } = this.#options;
    const { namespace, name } = parseKey(functionKey);
    const fn = observed.function(namespace, name);
    if (fn === undefined || fn.metadata.deletionTimestamp !== undefined) {
      if (this.#published.delete(functionKey)) sink.remove({ namespace, name });
      return;
    }
    const view = viewFunction(fn, observed.revisionsOf(namespace, name));
    // Its first revision is being made.
    if (view.traffic.length === 0) return;
    const route = buildRoute(view, (revision) => podsOf(keyOf({ namespace, name: revision })));
    if (isDeepStrictEqual(route, this.#published.get(functionKey))) return;
    this.#published.set(functionKey, route);
    sink.publish(route);
  }
}
