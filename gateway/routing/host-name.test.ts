import { expect, test } from '@jest/globals';
import { parseFunctionPath } from './function-path.ts';
import { parseHostName } from './host-name.ts';

const domains = { clusterDomain: 'cluster.local', domain: 'models.example.com' };

test.each([
  ['digits.default', 'default', 'digits', undefined],
  ['digits.default:8080', 'default', 'digits', undefined],
  ['Digits.Default', 'default', 'digits', undefined],
  ['digits.default.svc', 'default', 'digits', undefined],
  ['digits.default.svc.cluster.local', 'default', 'digits', undefined],
  ['digits.default.svc.cluster.local.', 'default', 'digits', undefined],
  ['digits.default.svc.cluster.local.:80', 'default', 'digits', undefined],
  ['digits.default.models.example.com', 'default', 'digits', undefined],
  ['canary--digits.default', 'default', 'digits', 'canary'],
])('%s names a function', (host, namespace, name, tag) => {
  expect(parseHostName(host, domains)).toEqual({ namespace, name, tag });
});

test.each([
  '',
  'digits',
  '.default',
  'digits.',
  'digits.default.other.com',
  '[::1]:8080',
  'digits.default.svc.other',
  ':80',
])('%j names no function', (host) => {
  expect(parseHostName(host, domains)).toBeUndefined();
});

test('without a domain of its own nothing ends in one', () => {
  expect(parseHostName('digits.default.', { ...domains, domain: '' })).toEqual({
    namespace: 'default',
    name: 'digits',
  });
  expect(parseHostName('digits.default.x', { ...domains, domain: '' })).toBeUndefined();
});

test.each([
  ['/functions/default/digits', 'digits', undefined, '/'],
  ['/functions/default/digits/', 'digits', undefined, '/'],
  ['/functions/default/digits?x=/1', 'digits', undefined, '/?x=/1'],
  ['/functions/default/digits/v2/models?a=b', 'digits', undefined, '/v2/models?a=b'],
  ['/functions/default/canary--digits/v2', 'digits', 'canary', '/v2'],
  ['/functions/default/digits//v2', 'digits', undefined, '//v2'],
])('the path %s names a function', (path, name, tag, target) => {
  expect(parseFunctionPath(path)).toEqual({ namespace: 'default', name, tag, target });
});

test.each([
  '/',
  '/functions',
  '/functions/',
  '/functions/default',
  '/functions/default/',
  '/functions//digits',
  '/functions/default?/digits',
  '/v2/functions/a/b',
])('the path %s names no function', (path) => {
  expect(parseFunctionPath(path)).toBeUndefined();
});
