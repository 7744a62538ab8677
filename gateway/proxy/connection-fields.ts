/** Fields of one connection, not of the message that it carries (RFC 9110 §7.6.1). Pure. */

/** What no hop passes on, whatever `connection` says. */
export const CONNECTION_FIELDS = [
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
] as const;

/** `connection: close, x-trace` makes `x-trace` a matter of this connection too. */
export function withoutConnectionOptions(fields: string[], connection: string | undefined): string[] {
  if (connection === undefined || connection === 'keep-alive' || connection === 'close') return fields;
  const options = new Set(connection.split(',').map((option) => option.trim().toLowerCase()));
  return fields.filter((_, at) => !options.has(fields[at - (at % 2)] ?? ''));
}
