import { expect, test } from '@jest/globals';
import { signS3 } from './s3-signature.ts';

/** The examples of docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html. */
const credentials = {
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
};
const common = { method: 'GET', region: 'us-east-1', now: Date.UTC(2013, 4, 24) };
const base = 'https://examplebucket.s3.amazonaws.com';

test.each([
  ['test.txt', { range: 'bytes=0-9' }, 'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41'],
  ['?lifecycle', {}, 'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543'],
  ['?max-keys=2&prefix=J', {}, '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7'],
])('signs %s as Amazon does', (path, headers, signature) => {
  const signed = signS3({ ...common, url: new URL(`${base}/${path}`), headers }, credentials);
  expect(signed['authorization']).toContain(`Signature=${signature}`);
  expect(signed['authorization']).not.toContain(credentials.secretAccessKey);
});

test('a session’s token is sent and signed', () => {
  const signed = signS3({ ...common, url: new URL(base) }, { ...credentials, sessionToken: 'token' });
  expect(signed).toMatchObject({
    'x-amz-security-token': 'token',
    authorization: expect.stringContaining('x-amz-date;x-amz-security-token'),
  });
});
