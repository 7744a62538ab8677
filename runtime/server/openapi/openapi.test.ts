/** `/openapi.json` of a runtime. */
import { afterEach, expect, test } from '@jest/globals';
import type { Model } from '../../inference.ts';
import { closeTestRuntimes, INFER, testRuntime } from '../../runtime.fixture.ts';

afterEach(closeTestRuntimes);

interface Document {
  readonly paths: Readonly<Record<string, Record<string, unknown>>>;
}

interface Infer {
  readonly requestBody: { readonly content: Readonly<Record<string, { readonly example: object }>> };
}

test('the example of the document is answered by the runtime that gave it', async () => {
  const { send } = await testRuntime();
  const { status, json } = await send('/openapi.json');
  expect(status).toBe(200);
  const infer = (json as unknown as Document).paths[INFER]?.['post'] as Infer;
  const example = infer.requestBody.content['application/json']?.example;
  const answer = await send(INFER, { method: 'POST', body: JSON.stringify(example) });
  expect([answer.status, answer.json['outputs']]).toEqual([200, [expect.objectContaining({ name: 'y' })]]);
});

test('every path of the document is one of the runtime, with its verbs', async () => {
  const { send } = await testRuntime();
  const { paths } = (await send('/openapi.json')).json as unknown as Document;
  const statuses = await Promise.all(
    Object.entries(paths).flatMap(([path, item]) =>
      Object.keys(item)
        .filter((verb) => verb === 'get' || verb === 'post')
        .map(async (verb) => {
          const body = verb === 'post' ? { body: '{}' } : {};
          const answer = await send(path.replace('{version}', '1'), { method: verb.toUpperCase(), ...body });
          return [path, verb, answer.status];
        }),
    ),
  );
  // No request for the model is a 400; 404 and 405 are what must not come.
  expect(statuses).toEqual(statuses.map(([path, verb]) => [path, verb, String(path).endsWith('/infer') ? 400 : 200]));
  expect(statuses.length).toBeGreaterThan(12);
});

test('the model is run for its example when the document is first asked for, and never again', async () => {
  const { send, model } = await testRuntime();
  let runs = 0;
  const infer = model.infer.bind(model);
  model.infer = (request) => {
    runs += 1;
    return infer(request);
  };
  const answers = await Promise.all([send('/openapi.json'), send('/openapi.json')]);
  answers.push(await send('/openapi.json'));
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
  expect(runs).toBe(1);
});

test('there is none before the model is warm', async () => {
  const { promise, reject } = Promise.withResolvers<Model>();
  const { send } = await testRuntime({}, promise);
  const { status, headers, json } = await send('/openapi.json');
  expect([status, headers['pilotlight-not-admitted']]).toEqual([503, 'NotReady']);
  expect(json['error']).toBe('The model is still being loaded.');
  reject(new Error('This test is over.'));
});
