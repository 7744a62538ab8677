import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { main } from '../main.ts';

const MODEL = join(import.meta.dirname, '..', '..', 'examples', 'digits', 'model.onnx');

test('serves this machine alone', async () => {
  const interruption = new AbortController();
  const { promise: listening, resolve } = Promise.withResolvers<URL>();
  const ended = main(['serve', MODEL, '--port', '0', '--metrics-port', '0'], {
    out: (line) => {
      const [url] = /http:\S+/.exec(line) ?? [];
      if (url !== undefined) resolve(new URL(url));
    },
    err: () => undefined,
    environment: {},
    interrupted: interruption.signal,
  });
  const url = await listening;
  const answer = await fetch(url);
  expect(await answer.json()).toMatchObject({ name: 'model', platform: 'onnx_onnxv1' });
  // On Linux every 127.x.y.z is this machine: who listens on every address answers there too.
  url.hostname = '127.0.0.2';
  await expect(fetch(url)).rejects.toThrow('fetch failed');
  interruption.abort();
  expect(await ended).toBe(0);
});
