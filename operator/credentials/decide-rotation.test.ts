import { describe, expect, test } from '@jest/globals';
import type { SigningKeys } from './control-credentials.ts';
import { decideRotation, decideSigner, type RotationStep, type RotationView } from './decide-rotation.ts';

/** `c b a`: c is the newest. */
function keys(ids: string): SigningKeys {
  return ids.split(' ').map((id) => ({ id, secret: 's'.repeat(43) })) as unknown as SigningKeys;
}

/** Which keys there are, what every gateway has (undefined: none is connected), which signed, which are fresh: which one signs. */
test.each<[string, string | undefined, string | undefined, string, string]>([
  ['b a', 'b a', 'a', '', 'b'],
  ['b a', 'a', 'a', '', 'a'],
  ['b a', '', 'a', '', 'a'],
  ['b a', undefined, 'a', '', 'a'],
  ['b a', 'b a', 'a', 'b', 'a'],
  // It does not go back.
  ['b a', 'a', 'b', '', 'b'],
  ['b a', undefined, 'b', '', 'b'],
  // An operator that has just begun.
  ['b a', 'b a', undefined, '', 'b'],
  ['b a', 'a', undefined, '', 'a'],
  ['b a', undefined, undefined, '', 'a'],
  ['b', undefined, undefined, '', 'b'],
  ['b', '', 'b', '', 'b'],
  // Two at once, of which gateways have one.
  ['c b a', 'b a', 'a', '', 'b'],
  ['c b a', 'c b a', 'a', 'c', 'b'],
  // Somebody took the one that signed out of the list, or replaced all.
  ['c a', 'c a', 'b', '', 'c'],
  ['c a', 'a', 'b', 'c', 'a'],
  ['c', 'b a', 'b', 'c', 'c'],
])('of %s, where gateways have %s, %s signed and %s is fresh, %s signs', (list, held, signed, fresh, want) => {
  const view = {
    keys: keys(list),
    held: held === undefined ? undefined : new Set(held.split(' ')),
    signed,
    isFresh: (id: string) => fresh.split(' ').includes(id),
  };
  expect(decideSigner(view).id).toBe(want);
});

const DAYS = 86_400_000;

const CASES: Record<string, { ids: string; view?: Partial<RotationView>; want: RotationStep }> = {
  'one key that is young stays': { ids: 'a', want: { type: 'Keep' } },
  'a key of 90 days is replaced': { ids: 'a', view: { age: 90 * DAYS }, want: { type: 'Add' } },
  'not a minute before': { ids: 'a', view: { age: 90 * DAYS - 60_000 }, want: { type: 'Keep' } },
  'and never, where it is never to be': { ids: 'a', view: { age: 900 * DAYS, rotateAfter: 0 }, want: { type: 'Keep' } },
  'but on demand': { ids: 'a', view: { isRequested: true, rotateAfter: 0 }, want: { type: 'Add' } },
  'one at a time': { ids: 'b a', view: { isRequested: true, signer: 'a' }, want: { type: 'Keep' } },
  'the old one stays while the new one does not sign': {
    ids: 'b a',
    view: { signer: 'a', named: new Set() },
    want: { type: 'Keep' },
  },
  'the old one stays while a pod names it': {
    ids: 'b a',
    view: { named: new Set(['a', 'b']) },
    want: { type: 'Keep' },
  },
  'the old one goes when no pod names it': { ids: 'b a', want: { type: 'Remove', ids: ['a'] } },
  'not before the new one has signed for 120 s': { ids: 'b a', view: { signedFor: 119_999 }, want: { type: 'Keep' } },
  'those that no pod names go': {
    ids: 'd c b a',
    view: { named: new Set(['b']) },
    want: { type: 'Remove', ids: ['c', 'a'] },
  },
  'the one that signs stays, though no pod names it': { ids: 'a', view: { named: new Set() }, want: { type: 'Keep' } },
  'more than 16 are not sent': {
    ids: 'p o n m l k j i h g f e d c b a',
    view: { isRequested: true, named: new Set('ponmlkjihgfedcba') },
    want: { type: 'Blocked', reason: 'TooManyKeys' },
  },
  'of 16 those that no pod names make room': {
    ids: 'p o n m l k j i h g f e d c b a',
    view: { isRequested: true, named: new Set('ponmlkjihgfedcb') },
    want: { type: 'Remove', ids: ['a'] },
  },
  "somebody else's Secret is not changed": {
    ids: 'b a',
    view: { isOurs: false, age: 900 * DAYS },
    want: { type: 'Keep' },
  },
  'not on demand either, which is said': {
    ids: 'a',
    view: { isOurs: false, isRequested: true },
    want: { type: 'Blocked', reason: 'NotOurs' },
  },
};

describe('of the list', () => {
  test.each(Object.entries(CASES))('%s', (_name, { ids, view, want }) => {
    const list = keys(ids);
    expect(
      decideRotation({
        keys: list,
        isOurs: true,
        signer: list[0].id,
        signedFor: 1e6,
        named: new Set(),
        isRequested: false,
        age: 0,
        rotateAfter: 90 * DAYS,
        ...view,
      }),
    ).toEqual(want);
  });
});
