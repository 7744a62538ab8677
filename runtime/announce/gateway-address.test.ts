import { expect, test } from '@jest/globals';
import { parseGatewayAddresses } from './gateway-address.ts';

test.each([
  ['', []],
  ['10.0.0.1:9091', [{ host: '10.0.0.1', port: 9091 }]],
  ['gateway.pilotlight:9091, [fd00::1]:9091,', [{ host: 'gateway.pilotlight', port: 9091 }, { host: 'fd00::1', port: 9091 }]], // prettier-ignore
  ['gateway', undefined],
  ['gateway:0', undefined],
  ['gateway:65536', undefined],
  ['http://gateway:9091', undefined],
])('%j', (text, want) => {
  expect(parseGatewayAddresses(text)).toEqual(want);
});
