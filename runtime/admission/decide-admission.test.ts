import { expect, test } from '@jest/globals';
import type { NotAdmitted } from '../../common/wire/headers.ts';
import { decideAdmission, executionTimeout, type PodState } from './decide-admission.ts';

const UID = 'uid-1';
const ready: PodState = { uid: UID, phase: 'Ready', inFlight: 0, maxBodyBytes: 100, room: 400 };
const limit = (value: string): Record<string, string> => ({ 'pilotlight-concurrency-limit': value });
const named = { 'pilotlight-pod-uid': UID };

test.each<[about: string, pod: Partial<PodState>, headers: Record<string, string>, want: NotAdmitted | undefined]>([
  ['another pod is named', {}, { 'pilotlight-pod-uid': 'uid-2' }, 'WrongPod'],
  ['another pod is named while this one starts', { phase: 'Starting' }, { 'pilotlight-pod-uid': 'uid-2' }, 'WrongPod'],
  ['a pod is named and this one has no uid', { uid: undefined }, named, 'WrongPod'],
  ['this pod is named', {}, named, undefined],
  ['no pod is named', {}, {}, undefined],
  ['the model is not warm', { phase: 'Starting' }, named, 'NotReady'],
  ['the pod drains', { phase: 'Draining' }, named, 'Draining'],
  ['one less than the limit is in flight', { inFlight: 2 }, { ...named, ...limit('3') }, undefined],
  ['the limit is in flight', { inFlight: 3 }, { ...named, ...limit('3') }, 'LimitReached'],
  ['the limit is none', { inFlight: 3 }, { ...named, ...limit('0') }, undefined],
  ['the limit is no number', { inFlight: 3 }, { ...named, ...limit('x') }, undefined],
  ['the body fills the room that is left', { room: 100 }, { 'content-length': '100' }, undefined],
  ['there is no room for the body', { room: 99 }, { 'content-length': '100' }, 'LimitReached'],
  ['a body does not say its length', { room: 0 }, { 'transfer-encoding': 'chunked' }, undefined],
  ['a body is compressed', { room: 0 }, { 'content-length': '100', 'content-encoding': 'gzip' }, undefined],
  ['the body is larger than any may be', { room: 100 }, { 'content-length': '1000000' }, undefined],
  ['the limit is a stranger’s', { inFlight: 3 }, limit('1'), undefined],
])('when %s', (_about, pod, headers, want) => {
  expect(decideAdmission({ ...ready, ...pod }, headers)).toBe(want);
});

test.each([
  ['a gateway’s', { ...named, 'pilotlight-timeout-ms': '500' }, 500],
  ['the specification’s when there is none', named, 60_000],
  ['the specification’s when a stranger sent one', { 'pilotlight-timeout-ms': '1' }, 60_000],
  ['the specification’s when it is no number', { ...named, 'pilotlight-timeout-ms': '-1' }, 60_000],
])('the timeout is %s', (_about, headers, want) => {
  expect(executionTimeout(UID, headers, 60_000)).toBe(want);
});
