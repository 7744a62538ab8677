/** Models in an image: what operator and runtime both must read in `oci://registry/repository:tag`. */

/** Where the image is mounted in a runtime pod, for reading alone. */
export const MODEL_IMAGE_DIRECTORY = '/mnt/model';

/** As distribution/reference has it: a domain with a dot, a port or "localhost", a path in lower case, then a tag, a digest or both. */
const REFERENCE =
  /^oci:\/\/((?:localhost|[a-z0-9-]+(?:\.[a-z0-9-]+)+|[a-z0-9-]+(?=:))(?::\d{1,5})?(?:\/[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*)+(?::\w[\w.-]{0,127})?(?:@sha256:[0-9a-f]{64})?)$/i;

/** What a container runtime pulls; undefined for a URI that names no image. */
export function parseModelImage(uri: string): string | undefined {
  return uri.length > 512 ? undefined : REFERENCE.exec(uri)?.[1];
}
