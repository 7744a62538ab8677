export const REVISION_LABELS = ['namespace', 'function', 'revision'] as const;
export type RevisionLabel = (typeof REVISION_LABELS)[number];
export type RevisionLabels = Readonly<Record<RevisionLabel, string>>;
