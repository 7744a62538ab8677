/** What Knative runs: our runtime's image, which has Node and the runtime itself, so that the same program can stand behind both. */
import { OPERATOR_ENVIRONMENT } from '../../../operator/configuration.ts';
import { deployment, OPERATOR } from '../../cluster/support/installation.ts';

/** The image that KNATIVE_IMAGE names, or the one of this installation. Knative asks its registry for its digest, but under dev.local, ko.local and kind.local. */
export async function knativeImage(): Promise<string> {
  const named = process.env['KNATIVE_IMAGE'] ?? '';
  if (named !== '') return named;
  const { env = [] } = (await deployment(OPERATOR)).spec.template.spec.containers[0] ?? {};
  const image = env.find(({ name }) => name === OPERATOR_ENVIRONMENT.runtimeImage)?.value;
  if (image === undefined) throw new Error(`Deployment ${OPERATOR} names no image of a runtime.`);
  return image;
}

/** For an error of Knative's about it. */
export const IMAGE_HINT =
  'Knative runs the runtime\'s image and asks its registry for a digest, but for images under dev.local/: where there is no registry, install with "make images deploy REGISTRY=dev.local", or give a copy of the runtime\'s image in KNATIVE_IMAGE.';
