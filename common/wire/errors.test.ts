import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { GATEWAY_ERRORS, RETRYABLE_CODES, type GatewayErrorCode } from './errors.ts';

test('the reference lists exactly the registry', () => {
  const page = readFileSync(new URL('../../docs/reference/errors.md', import.meta.url), 'utf8');
  const rows = [...page.matchAll(/^\| `([a-z-]+)` *\| (\d+) *\| (yes)? *\| (.+?) *\|$/gm)];
  const documented = rows.map(([, code, status, retry, meaning]) => ({
    code,
    status,
    retry: retry === 'yes',
    meaning,
  }));
  expect(documented).toEqual(
    Object.entries(GATEWAY_ERRORS).map(([code, { status, meaning }]) => ({
      code,
      status: String(status),
      retry: RETRYABLE_CODES.includes(code as GatewayErrorCode),
      meaning,
    })),
  );
});
