import { generateKeyPairSync, verify } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { DeliveryFixture, sendFile } from '../delivery-fixture.ts';
import { FETCH_LIMITS } from '../fetch-limits.ts';
import { HttpClient } from '../http/http-client.ts';
import { findAwsCredentials } from './aws-credentials.ts';
import { signS3 } from './s3-signature.ts';

const MODEL = Buffer.from('model');

let fixture: DeliveryFixture;
beforeEach(() => {
  fixture = new DeliveryFixture();
});
afterEach(() => {
  fixture.close();
});

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request as AsyncIterable<Buffer>) text += chunk.toString();
  return text;
}

async function fetched(uri: string, environment: Record<string, string>): Promise<string> {
  const { path } = await fixture.open(uri, undefined, { environment });
  return readFile(path, 'utf8');
}

describe('http', () => {
  const authorizations = async (
    uri: (base: string) => string,
    environment: Record<string, string>,
  ): Promise<(string | undefined)[]> => {
    const seen: (string | undefined)[] = [];
    const elsewhere = await fixture.serve((request, response) => {
      seen.push(request.headers.authorization);
      sendFile(request, response, MODEL);
    });
    const base = await fixture.serve((request, response) => {
      seen.push(request.headers.authorization);
      response.writeHead(302, { location: request.url === '/a' ? '/b' : `${elsewhere}/c` }).end();
    });
    await fetched(uri(base), environment);
    return seen;
  };

  test('a bearer token goes to the server it is for, and nowhere that it redirects to', async () => {
    const seen = await authorizations((base) => `${base}/a`, { PILOTLIGHT_MODEL_TOKEN: 'secret\n' });
    expect(seen).toEqual(['Bearer secret', 'Bearer secret', undefined]);
  });

  test('a user and a password are sent as such', async () => {
    const basic = `Basic ${Buffer.from('me:p@ss').toString('base64')}`;
    await expect(
      authorizations((base) => `${base}/a`, { PILOTLIGHT_MODEL_USERNAME: 'me', PILOTLIGHT_MODEL_PASSWORD: 'p@ss' }),
    ).resolves.toEqual([basic, basic, undefined]);
    await expect(authorizations((base) => `${base.replace('//', '//me:p%40ss@')}/a`, {})).resolves.toEqual([
      basic,
      basic,
      undefined,
    ]);
  });
});

/** Checks signatures by making them anew; lists and gives objects. */
function s3Server(objects: Record<string, Buffer>, check: (request: IncomingMessage) => boolean): RequestListener {
  return (request, response) => {
    if (!check(request)) {
      response.writeHead(403).end('<Error><Code>SignatureDoesNotMatch</Code><Secret>do not repeat</Secret></Error>');
      return;
    }
    const url = new URL(request.url ?? '', 'http://host');
    const [, bucket, ...rest] = url.pathname.split('/').map(decodeURIComponent);
    const key = rest.join('/');
    if (bucket !== 'models') response.writeHead(404).end('<Error><Code>NoSuchBucket</Code></Error>');
    else if (key === '' && url.searchParams.get('list-type') === '2') list(url, response);
    else if (objects[key] === undefined) response.writeHead(404).end('<Error><Code>NoSuchKey</Code></Error>');
    else sendFile(request, response, objects[key]);
  };

  /** Two a page. */
  function list(url: URL, response: ServerResponse): void {
    const keys = Object.keys(objects)
      .filter((key) => key.startsWith(url.searchParams.get('prefix') ?? ''))
      .sort();
    const start = Number(url.searchParams.get('continuation-token') ?? 0);
    const isTruncated = start + 2 < keys.length;
    const contents = keys
      .slice(start, start + 2)
      .map((key) => `<Contents><Key>${key.replaceAll('&', '&amp;')}</Key></Contents>`);
    const next = isTruncated ? `<NextContinuationToken>${start + 2}</NextContinuationToken>` : '';
    response.end(
      `<?xml version="1.0"?><ListBucketResult><IsTruncated>${isTruncated}</IsTruncated>${next}${contents.join('')}</ListBucketResult>`,
    );
  }
}

function isSigned(
  request: IncomingMessage,
  accessKeyId: string,
  secretAccessKey: string,
  region = 'us-east-1',
): boolean {
  const { authorization, 'x-amz-date': time, 'x-amz-security-token': token, host } = request.headers;
  const [, y, mo, d, h, mi, s] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(String(time)) ?? [];
  const now = Date.UTC(Number(y), Number(mo) - 1, Number(d), Number(h), Number(mi), Number(s));
  const url = new URL(request.url ?? '', `http://${host ?? ''}`);
  const sessionToken = typeof token === 'string' ? token : undefined;
  const expected = signS3({ method: 'GET', url, region, now }, { accessKeyId, secretAccessKey, sessionToken });
  return authorization === expected['authorization'];
}

describe('s3', () => {
  const keys = { AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 'secret' };
  const objects = {
    'a b/ü+&.onnx': MODEL,
    'digits/1/model.onnx': Buffer.from('old'),
    'digits/10/model.onnx': MODEL,
    'digits/9/model.onnx': Buffer.from('older'),
    'digits/config.pbtxt': Buffer.from('x'),
    v1: MODEL,
  };

  test.each([
    ['s3://models/a%20b/%C3%BC%2B%26.onnx'],
    ['s3://models/digits'],
    ['s3://models/digits/'],
    ['s3://models/v1'],
  ])('%s is signed and fetched', async (uri) => {
    const base = await fixture.serve(s3Server(objects, (request) => isSigned(request, 'id', 'secret')));
    await expect(fetched(uri, { ...keys, AWS_ENDPOINT_URL_S3: base })).resolves.toBe('model');
  });

  test('an accent of a listed name is asked for in the form that the service has it in', async () => {
    const decomposed = { 'accents/mode\u0300le.onnx': MODEL };
    const base = await fixture.serve(s3Server(decomposed, () => true));
    await expect(fetched('s3://models/accents/', { ...keys, AWS_ENDPOINT_URL: base })).resolves.toBe('model');
  });

  test('what is refused says the service’s reason, and repeats nothing else of it', async () => {
    const base = await fixture.serve(s3Server(objects, () => false));
    await expect(fetched('s3://models/a.onnx', { ...keys, AWS_ENDPOINT_URL: base })).rejects.toMatchObject({
      reason: 'ModelFetchFailed',
      message:
        'The model at s3://models/a.onnx could not be fetched: the server answered 403 SignatureDoesNotMatch: it wants credentials, or others.',
    });
  });

  test.each([
    ['s3://models/none.onnx', /neither a file nor a folder is there/],
    ['s3://other/none.onnx', /answered 404 NoSuchBucket/],
  ])('%s is not there', async (uri, message) => {
    const base = await fixture.serve(s3Server(objects, () => true));
    await expect(fetched(uri, { ...keys, AWS_ENDPOINT_URL: base })).rejects.toMatchObject({
      reason: 'ModelNotFound',
      message: expect.stringMatching(message),
    });
  });

  test('without credentials goes unsigned', async () => {
    const base = await fixture.serve(s3Server(objects, ({ headers }) => headers.authorization === undefined));
    const environment = { AWS_ENDPOINT_URL: base, AWS_SHARED_CREDENTIALS_FILE: await emptyFile() };
    await expect(fetched('s3://models/v1', environment)).resolves.toBe('model');
  });

  test('in another region is asked for there', async () => {
    const base = await fixture.serve((request, response) => {
      if (isSigned(request, 'id', 'secret', 'eu-west-1')) sendFile(request, response, MODEL);
      else response.writeHead(400, { 'x-amz-bucket-region': 'eu-west-1' }).end();
    });
    await expect(fetched('s3://models/a.onnx', { ...keys, AWS_ENDPOINT_URL: base })).resolves.toBe('model');
    expect(fixture.requests).toHaveLength(2);
  });

  const answer = {
    AccessKeyId: 'temporary',
    SecretAccessKey: 'key',
    Token: 'token',
    Expiration: '2030-01-01T00:00:00Z',
  };
  const isTemporary = (request: IncomingMessage): boolean => isSigned(request, 'temporary', 'key');

  test('by web identity (IRSA) exchanges the pod’s token', async () => {
    let form = '';
    const sts = await fixture.serve((request, response) => {
      void bodyOf(request).then((body) => {
        form = body;
        response.end(
          `<Credentials><AccessKeyId>temporary</AccessKeyId><SecretAccessKey>key</SecretAccessKey><SessionToken>token</SessionToken><Expiration>2030-01-01T00:00:00Z</Expiration></Credentials>`,
        );
      });
    });
    const base = await fixture.serve(s3Server(objects, isTemporary));
    const file = join(fixture.directory, 'token');
    await writeFile(file, 'jwt\n');
    const environment = {
      AWS_ENDPOINT_URL_S3: base,
      AWS_ENDPOINT_URL_STS: sts,
      AWS_ROLE_ARN: 'arn:aws:iam::1:role/models',
      AWS_WEB_IDENTITY_TOKEN_FILE: file,
    };
    await expect(fetched('s3://models/v1', environment)).resolves.toBe('model');
    expect(Object.fromEntries(new URLSearchParams(form))).toMatchObject({
      Action: 'AssumeRoleWithWebIdentity',
      RoleArn: 'arn:aws:iam::1:role/models',
      WebIdentityToken: 'jwt',
    });
  });

  test('by the container’s service (EKS pod identity) shows it the token of the file', async () => {
    const agent = await fixture.serve((request, response) => {
      if (request.headers.authorization === 'agent token') response.end(JSON.stringify(answer));
      else response.writeHead(401).end();
    });
    const base = await fixture.serve(s3Server(objects, isTemporary));
    const file = join(fixture.directory, 'token');
    await writeFile(file, 'agent token\n');
    const environment = {
      AWS_ENDPOINT_URL_S3: base,
      AWS_CONTAINER_CREDENTIALS_FULL_URI: `${agent}/v1/credentials`,
      AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: file,
      AWS_SHARED_CREDENTIALS_FILE: await emptyFile(),
    };
    await expect(fetched('s3://models/v1', environment)).resolves.toBe('model');
    await expect(
      fetched('s3://models/a.onnx', { ...environment, AWS_CONTAINER_CREDENTIALS_FULL_URI: 'http://example.com/' }),
    ).rejects.toThrow(/must be https, or the address of a pod identity agent/);
  });

  test('by the instance’s metadata goes by way of its token, and only where the service is AWS itself', async () => {
    const metadata = await fixture.serve((request, response) => {
      if (request.method === 'PUT') response.end('session');
      else if (request.headers['x-aws-ec2-metadata-token'] !== 'session') response.writeHead(401).end();
      else response.end(request.url?.endsWith('/role') === true ? JSON.stringify(answer) : 'role');
    });
    const environment = {
      AWS_EC2_METADATA_SERVICE_ENDPOINT: metadata,
      AWS_SHARED_CREDENTIALS_FILE: await emptyFile(),
    };
    const { clock } = fixture;
    const client = new HttpClient({ clock, limits: FETCH_LIMITS, redirects: 0 });
    const options = { client, clock, environment, region: 'us-east-1', signal: new AbortController().signal };
    await expect(findAwsCredentials({ ...options, isAws: true })).resolves.toEqual({
      accessKeyId: 'temporary',
      secretAccessKey: 'key',
      sessionToken: 'token',
      expiresAt: Date.UTC(2030, 0, 1),
    });
    const asked = fixture.requests.length;
    await expect(findAwsCredentials({ ...options, isAws: false })).resolves.toBeUndefined();
    const disabled = { ...environment, AWS_EC2_METADATA_DISABLED: 'true' };
    await expect(findAwsCredentials({ ...options, environment: disabled, isAws: true })).resolves.toBeUndefined();
    expect(fixture.requests).toHaveLength(asked);
    client.close();
  });

  test.each([
    ['plain text', 'AccessKeyId=AKIA SecretAccessKey=hush'],
    ['JSON of something else', '{"SecretAccessKey": "hush"}'],
  ])('by a service that answers %s does without, and does not repeat it', async (_, body) => {
    const agent = await fixture.serve((_request, response) => response.end(body));
    const environment = {
      AWS_ENDPOINT_URL_S3: agent,
      AWS_CONTAINER_CREDENTIALS_FULL_URI: `${agent}/v1/credentials`,
      AWS_SHARED_CREDENTIALS_FILE: await emptyFile(),
    };
    await expect(fetched('s3://models/v1', environment)).rejects.toMatchObject({
      message:
        'The model at s3://models/v1 could not be fetched: the container’s credential service gave no credentials.',
    });
  });

  test('waits for a list and for credentials that are not there in the first moment', async () => {
    const refusing = (listener: RequestListener): RequestListener => {
      let isFirst = true;
      return (request, response) => {
        if (isFirst) response.writeHead(503).end();
        else listener(request, response);
        isFirst = false;
      };
    };
    const agent = await fixture.serve(refusing((_, response) => response.end(JSON.stringify(answer))));
    const base = await fixture.serve(refusing(s3Server(objects, isTemporary)));
    const environment = {
      AWS_ENDPOINT_URL_S3: base,
      AWS_CONTAINER_CREDENTIALS_FULL_URI: `${agent}/v1/credentials`,
      AWS_SHARED_CREDENTIALS_FILE: await emptyFile(),
    };
    await expect(fetched('s3://models/digits', environment)).resolves.toBe('model');
  });

  test('gives a list up that does not end', async () => {
    const base = await fixture.serve((_, response) =>
      response.end('<IsTruncated>true</IsTruncated><NextContinuationToken>more</NextContinuationToken>'),
    );
    await expect(fetched('s3://models/digits/', { ...keys, AWS_ENDPOINT_URL: base })).rejects.toThrow(
      /its list of files does not end/,
    );
  });

  test('gives a list up after the time that all of it may take', async () => {
    const base = await fixture.serve(() => void fixture.clock.advance(2000));
    const options = {
      environment: { ...keys, AWS_ENDPOINT_URL: base },
      limits: { ...FETCH_LIMITS, totalMilliseconds: 2000 },
    };
    await expect(fixture.open('s3://models/digits/', undefined, options)).rejects.toThrow(/longer than 2 s/);
  });

  test('by the shared file takes the profile that is named', async () => {
    const base = await fixture.serve(s3Server(objects, (request) => isSigned(request, 'two', 'key2')));
    const file = join(fixture.directory, 'credentials');
    await writeFile(
      file,
      '[default]\naws_access_key_id=one\naws_secret_access_key=key1\n[team]\naws_access_key_id = two\naws_secret_access_key = key2\n',
    );
    const environment = { AWS_ENDPOINT_URL: base, AWS_SHARED_CREDENTIALS_FILE: file, AWS_PROFILE: 'team' };
    await expect(fetched('s3://models/v1', environment)).resolves.toBe('model');
  });

  async function emptyFile(): Promise<string> {
    const path = join(fixture.directory, 'empty');
    await writeFile(path, '');
    return path;
  }
});

describe('gs', () => {
  const objects: Record<string, Buffer> = { 'digits/1/model.onnx': MODEL, 'digits/x y/notes': MODEL };
  const gsServer =
    (authorization: string | undefined): RequestListener =>
    (request, response) => {
      const url = new URL(request.url ?? '', 'http://host');
      const [, name] = /^\/storage\/v1\/b\/models\/o\/(.+)$/.exec(url.pathname) ?? [];
      if (request.headers.authorization !== authorization) response.writeHead(401).end();
      else if (name === undefined) {
        const names = Object.keys(objects).filter((one) => one.startsWith(url.searchParams.get('prefix') ?? ''));
        const isFirst = url.searchParams.get('pageToken') === null;
        response.end(
          JSON.stringify({ items: [{ name: names[isFirst ? 0 : 1] }], ...(isFirst && { nextPageToken: 'p' }) }),
        );
      } else {
        const bytes = objects[decodeURIComponent(name)];
        if (bytes === undefined || url.searchParams.get('alt') !== 'media') response.writeHead(404).end();
        else sendFile(request, response, bytes);
      }
    };

  test.each(['gs://models/digits', 'gs://models/digits/1/model.onnx'])(
    '%s is fetched from an emulator',
    async (uri) => {
      const base = await fixture.serve(gsServer(undefined));
      await expect(fetched(uri, { STORAGE_EMULATOR_HOST: base.replace('http://', '') })).resolves.toBe('model');
    },
  );

  test('with a service account’s key signs for a token', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    let assertion = '';
    const oauth = await fixture.serve((request, response) => {
      void bodyOf(request).then((body) => {
        assertion = new URLSearchParams(body).get('assertion') ?? '';
        response.end(JSON.stringify({ access_token: 'access', expires_in: 3600 }));
      });
    });
    const base = await fixture.serve(gsServer('Bearer access'));
    const key = {
      type: 'service_account',
      client_email: 'me@project',
      private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
      token_uri: `${oauth}/token`,
    };
    const environment = { STORAGE_EMULATOR_HOST: base, GOOGLE_APPLICATION_CREDENTIALS_JSON: JSON.stringify(key) };
    await expect(fetched('gs://models/digits', environment)).resolves.toBe('model');
    const [header = '', claims = '', signature = ''] = assertion.split('.');
    expect(
      verify('RSA-SHA256', Buffer.from(`${header}.${claims}`), publicKey, Buffer.from(signature, 'base64url')),
    ).toBe(true);
    expect(JSON.parse(Buffer.from(claims, 'base64url').toString())).toMatchObject({
      iss: 'me@project',
      aud: `${oauth}/token`,
    });
  });

  test('credentials that are none are named, and not repeated', async () => {
    const environment = {
      STORAGE_EMULATOR_HOST: 'localhost:1',
      GOOGLE_APPLICATION_CREDENTIALS_JSON: '{"private_key": "secret',
    };
    const error = await fetched('gs://models/a.onnx', environment).catch((reason: unknown) => reason as Error);
    expect(String(error)).toMatch(/the Google credentials are no JSON/);
    expect(String(error)).not.toContain('secret');
  });
});

describe('hf', () => {
  const commit = 'c'.repeat(40);
  const hub: RequestListener = (request, response) => {
    const { url = '', headers } = request;
    if (headers.authorization !== 'Bearer token') response.writeHead(401).end();
    else if (url === '/api/models/org/model/revision/v1.0') {
      const siblings = ['README.md', 'pytorch_model.bin', 'onnx/model.onnx', 'onnx/model_q4.onnx'];
      response.end(JSON.stringify({ sha: commit, siblings: siblings.map((rfilename) => ({ rfilename })) }));
    } else if (url === `/org/model/resolve/${commit}/onnx/model.onnx` || url === '/org/model/resolve/main/a.onnx') {
      sendFile(request, response, MODEL);
    } else response.writeHead(404).end();
  };

  test.each(['hf://org/model@v1.0', 'hf://org/model@v1.0/onnx', 'hf://org/model/a.onnx'])(
    '%s is fetched',
    async (uri) => {
      const base = await fixture.serve(hub);
      await expect(fetched(uri, { HF_ENDPOINT: `${base}/`, HF_TOKEN: 'token' })).resolves.toBe('model');
    },
  );

  test('without its token is refused', async () => {
    const base = await fixture.serve(hub);
    await expect(fetched('hf://org/model/a.onnx', { HF_ENDPOINT: base })).rejects.toThrow(/401: it wants credentials/);
  });
});
