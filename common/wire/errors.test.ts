import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { GATEWAY_ERRORS, RETRYABLE_CODES, type GatewayErrorCode } from './errors.ts';
import { GRPC_STATUS } from './grpc.ts';

test('the reference lists exactly the registry', () => {
  const page = readFileSync(new URL('../../docs/reference/errors.md', import.meta.url), 'utf8');
  const rows = [...page.matchAll(/^\| `([a-z-]+)` *\| (\d+) *\| `([A-Z_]+)` *\| (yes)? *\| (.+?) *\|$/gm)];
  const documented = rows.map(([, code, status, grpc, retry, meaning]) => ({
    code,
    status,
    grpc: GRPC_STATUS[grpc as keyof typeof GRPC_STATUS],
    retry: retry === 'yes',
    meaning,
  }));
  expect(documented).toEqual(
    Object.entries(GATEWAY_ERRORS).map(([code, { status, grpc, meaning }]) => ({
      code,
      status: String(status),
      grpc,
      retry: RETRYABLE_CODES.includes(code as GatewayErrorCode),
      meaning,
    })),
  );
});
