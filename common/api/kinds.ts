/**
 * The kinds of the API and their parts by name. `ModelFunction` and `ModelRevision` are objects as an API server stores them, with every default
 * of the schema; `…Manifest` are objects as people write them.
 */
import type { ModelFunction, ModelFunctionManifest } from './generated/model-function.ts';
import type { ModelRevision, ModelRevisionManifest } from './generated/model-revision.ts';

export type { ModelFunction, ModelFunctionManifest, ModelRevision, ModelRevisionManifest };

export type ModelFunctionSpec = ModelFunction['spec'];
export type ModelFunctionStatus = NonNullable<ModelFunction['status']>;
export type TrafficTarget = ModelFunctionSpec['traffic'][number];
export type TrafficStatus = NonNullable<ModelFunctionStatus['traffic']>[number];

export type ModelRevisionSpec = ModelRevision['spec'];
export type ModelRevisionStatus = NonNullable<ModelRevision['status']>;
/** What the user set of a revision: a part of the function's spec, word for word. */
export type RevisionTemplate = ModelRevisionSpec['template'];
/** What pods are made from: the template with every default filled in. */
export type ResolvedTemplate = ModelRevisionSpec['resolved'];
export type ExecutionProvider = ResolvedTemplate['runtime']['executionProviders'][number];

/** `metav1.Condition` */
export type Condition = NonNullable<ModelFunctionStatus['conditions']>[number];
export type ConditionStatus = Condition['status'];
