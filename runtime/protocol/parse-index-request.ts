/** The body of `POST /v2/repository/index`: nothing, or JSON `{"ready": true}` from who wants to see ready models alone. */
import { boolean, object } from './fields.ts';
import { parseJson } from './parse-json.ts';

/** Throws ProtocolError. */
export function parseIndexRequest(body: Buffer): boolean {
  if (body.length === 0) return false;
  return boolean('ready', object('The request', parseJson(body))['ready'], false);
}
