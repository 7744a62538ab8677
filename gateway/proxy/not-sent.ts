/** The pod certainly did not begin the request, so it may be tried elsewhere as often as one likes. */
export class NotSent extends Error {
  override readonly name = 'NotSent';
}
