/** The main job in a minute: a real model goes from zero to one to several replicas and back, on real requests. Exits 1 with the reason if it does not. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { compareOutputs, type JsonAnswer } from '../examples/compare-outputs.ts';
import { startBurst } from './burst.ts';
import { startLocal, type LocalProcess } from './local-process.ts';
import { read, type Reading } from './reading.ts';

const EXAMPLE = join(import.meta.dirname, '..', 'examples', 'digits');
const PATH = '/functions/default/digits/v2/models/digits/infer';
const CLIENTS = 32;
const BURST_SECONDS = 10;
/** Of the whole; every wait of the demo ends here. */
const MOST_SECONDS = 100;

const request = readFileSync(join(EXAMPLE, 'request.json'), 'utf8');
const expected = JSON.parse(readFileSync(join(EXAMPLE, 'expected.json'), 'utf8')) as JsonAnswer;

const say = (line: string): boolean => process.stdout.write(`${line}\n`);
const started = performance.now();

try {
  say('Starting Pilotlight on this machine, with examples/digits/function.yaml ...');
  const local = await startLocal([EXAMPLE], (line) => say(`  ${line}`));
  try {
    await Promise.race([demonstrate(local), local.failed, timeLimit()]);
  } finally {
    await local.end();
  }
  say(`\nAll as expected, in ${((performance.now() - started) / 1000).toFixed(0)} s. Next: README.md, examples/.`);
  process.exit(0);
} catch (error) {
  say(`\nThe demo failed: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(1);
}

async function demonstrate({ gateway, metrics }: LocalProcess): Promise<void> {
  say('\n1. A new revision starts once, to prove itself, and goes to zero when nobody calls.');
  await until(metrics, 'the revision was ready', ({ ready }) => ready >= 1);
  await until(metrics, 'the function was at zero', atZero);

  say('\n2. A request at zero. The gateway holds it and wakes the model.');
  await firstRequest(gateway);

  say(`\n3. ${CLIENTS} clients at once, ${BURST_SECONDS} s long; a replica should hold 8 requests.`);
  const most = await burst(gateway, metrics);
  if (most < 2) throw new Error(`The burst needed several replicas, but at most ${most} was ready at once.`);

  say('\n4. Nobody calls any more.');
  await until(metrics, 'the function was at zero again', atZero);
  say('  At zero again.');
}

function atZero({ desired, ready }: Reading): boolean {
  return desired === 0 && ready === 0;
}

async function firstRequest(gateway: string): Promise<void> {
  const sent = performance.now();
  const answer = await fetch(gateway + PATH, { method: 'POST', body: request });
  const body = await answer.text();
  const took = performance.now() - sent;
  if (answer.status !== 200) throw new Error(`The first request got ${answer.status}: ${body}`);
  const waited = answer.headers.get('pilotlight-cold-start');
  if (waited === null)
    throw new Error('The first request did not wait for a replica, so the function was not at zero.');
  say(`  Answered in ${took.toFixed(0)} ms, of which it waited ${waited} ms for a replica.`);
  say(`  Phases (ms): ${answer.headers.get('server-timing') ?? 'none given'}`);
  const problem = check(JSON.parse(body));
  if (problem !== undefined) throw new Error(`The first answer is wrong: ${problem}`);
  say('  The answer is the expected one: these digits are 3, 4 and 6.');
}

/** Gives the most replicas that were ready at once. */
async function burst(gateway: string, metrics: string): Promise<number> {
  const stop = new AbortController();
  const { result, done } = startBurst({
    origin: gateway,
    path: PATH,
    body: request,
    clients: CLIENTS,
    signal: stop.signal,
    check,
  });
  let most = 0;
  for (let second = 1; second <= BURST_SECONDS; second++) {
    await pause(1000);
    const now = await read(metrics, 'digits');
    most = Math.max(most, now.ready);
    say(
      `  ${String(second).padStart(2)} s  answered ${String(result.answered).padStart(6)}  in flight ${String(now.inFlight).padStart(3)}` +
        `  queued ${String(now.queued).padStart(3)}  replicas ${now.ready} of ${now.desired}`,
    );
  }
  stop.abort();
  await done;
  if (result.wrong > 0) {
    throw new Error(`${result.wrong} of ${result.answered} requests failed; the first: ${result.firstProblem}`);
  }
  say(`  ${result.answered} requests, every answer the expected one.`);
  return most;
}

function check(answer: unknown): string | undefined {
  return compareOutputs(answer as JsonAnswer, expected)[0];
}

async function until(metrics: string, what: string, reached: (reading: Reading) => boolean): Promise<void> {
  while (!reached(await read(metrics, 'digits'))) {
    if (performance.now() - started > MOST_SECONDS * 1000) throw new Error(`${what} did not happen in time.`);
    await pause(200);
  }
}

async function timeLimit(): Promise<never> {
  await pause(MOST_SECONDS * 1000);
  throw new Error(`It was not done within ${MOST_SECONDS} s.`);
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
