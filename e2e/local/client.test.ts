/** The client and the OpenAPI document through a real gateway, before real models that start at zero. */
import { Validator } from '@seriousme/openapi-schema-validator';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { InferenceClient } from '../../client/inference-client.ts';
import { PODS } from '../../operator/cluster/resources.ts';
import { DIGITS, VOICE_ACTIVITY } from './examples.ts';
import { startPlatform, type Platform } from './platform.ts';

jest.setTimeout(60_000);

interface Digits {
  readonly inputs: { readonly pixels: { readonly datatype: 'FP32'; readonly shape: [number, 64] } };
  readonly outputs: { readonly label: { readonly datatype: 'INT64'; readonly shape: [number] } };
}

interface Document {
  readonly paths: Readonly<
    Record<
      string,
      { readonly post?: { readonly requestBody: { readonly content: Record<string, { example: object }> } } }
    >
  >;
}

let platform: Platform;
beforeAll(async () => {
  platform = await startPlatform();
  await platform.apply('digits', { model: { uri: DIGITS.uri } });
  await platform.apply('voice-activity', { model: { uri: VOICE_ACTIVITY.uri } });
  await platform.untilReady('digits');
  await platform.untilReady('voice-activity');
});
afterAll(() => platform.close());

test('the client wakes a function that is at zero, and says what that took', async () => {
  await platform.until('digits is at zero', PODS, (pods) =>
    pods.some(({ metadata }) => metadata.name.startsWith('digits-')) ? undefined : true,
  );
  const { inputs } = JSON.parse(DIGITS.request) as { readonly inputs: readonly { readonly data: number[] }[] };
  const client = new InferenceClient(platform.url('digits', ''));
  const { outputs, coldStart, revision, serverTiming } = await client
    .model<Digits>('digits')
    .infer({ pixels: { shape: [3, 64], data: Float32Array.from(inputs[0]?.data ?? []) } }, { outputs: ['label'] });
  expect(outputs).toEqual({ label: { datatype: 'INT64', shape: [3], data: BigInt64Array.of(3n, 4n, 6n) } });
  expect(coldStart).toBeGreaterThan(0);
  expect(revision).toBe('digits-00001');
  expect(serverTiming).toMatchObject({ queue: expect.any(Number), pod: expect.any(Number) });
});

describe('the OpenAPI document of', () => {
  test.each(['digits', 'voice-activity'])('%s is valid, and its example is answered', async (name) => {
    const { status, json } = await platform.send(name, '/openapi.json');
    expect(status).toBe(200);
    expect(await new Validator().validate(json as Record<string, unknown>)).toEqual({ valid: true });
    const path = `/v2/models/${name}/infer`;
    const example = (json as unknown as Document).paths[path]?.post?.requestBody.content['application/json']?.example;
    const answer = await platform.send(name, path, { method: 'POST', body: JSON.stringify(example) });
    expect([answer.status, answer.json['error']]).toEqual([200, undefined]);
  });
});
