import type { ModelRevision } from '../../common/api/kinds.ts';
import type { FunctionView } from './function-view.ts';
import type { ObservedPods } from './observe-revision.ts';
import type { RevisionMemory } from './revision-memory.ts';

/** A revision at a moment, with all that is decided by. */
export interface RevisionSubject extends ObservedPods {
  readonly key: string;
  readonly revision: ModelRevision;
  readonly view: FunctionView;
  readonly memory: RevisionMemory;
}
