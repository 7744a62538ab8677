/** Makes a CustomResourceDefinition a resource of the in-memory cluster. */
import { admit } from '../../../common/api/admission/admit.ts';
import type { Definition } from '../../../common/api/admission/definition.ts';
import type { ResourceDefinition } from './resource-definition.ts';

/** One resource a version. */
export function customResources(definition: Definition): ResourceDefinition[] {
  const { group, scope, names, versions } = definition.spec;
  return versions.map(({ name, subresources }) => ({
    apiVersion: `${group}/${name}`,
    kind: names.kind,
    plural: names.plural,
    namespaced: scope === 'Namespaced',
    status: subresources?.status !== undefined,
    scale: subresources?.scale !== undefined,
    generation: true,
    admit: (object, oldObject) => admit(definition, object, oldObject),
  }));
}
