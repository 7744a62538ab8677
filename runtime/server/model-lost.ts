/** The model failed or was closed, rather than the run on this request's data: its `cause` says how. */
export class ModelLost extends Error {
  override readonly name = 'ModelLost';
}
