import { expect, test } from '@jest/globals';
import { mayAnnounceHost } from './announced-host.ts';

test.each([
  ['10.0.0.7', '10.0.0.7', true],
  ['fd00::7', 'fd00::7', true],
  // A pod's traffic may come by another address than it is reached at.
  ['10.0.0.7', '10.0.0.1', true],
  ['127.0.0.1', '127.0.0.1', true],
  ['127.0.0.1', '::ffff:127.0.0.1', true],
  ['::1', '127.0.0.1', true],
  ['127.0.0.1', '10.0.0.7', false],
  ['127.1.2.3', undefined, false],
  ['::1', '10.0.0.7', false],
  ['::ffff:127.0.0.1', '10.0.0.7', false],
  ['::ffff:7f00:1', '10.0.0.7', false],
  ['0.0.0.0', '127.0.0.1', false],
  ['::', '127.0.0.1', false],
  ['169.254.169.254', '169.254.1.1', false],
  ['::ffff:169.254.169.254', '10.0.0.7', false],
  ['fe80::1', 'fe80::1', false],
  ['224.0.0.1', '10.0.0.7', false],
  ['255.255.255.255', '10.0.0.7', false],
  ['ff02::1', '10.0.0.7', false],
  ['localhost', '127.0.0.1', false],
  ['pod.example', '10.0.0.7', false],
])('a pod at %s that speaks from %s: %s', (host, from, allowed) => {
  expect(mayAnnounceHost(host, from)).toBe(allowed);
});
