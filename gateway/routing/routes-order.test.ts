import { expect, test } from '@jest/globals';
import { judgeRoutes } from './routes-order.ts';

const full = true;
const partial = false;

test.each([
  ['the first of all', { stream: 1, sequence: 0 }, { epoch: 0, stream: undefined }, [1, 1, full], 'take'],
  ['the next change', { stream: 1, sequence: 1 }, { epoch: 1, stream: 1 }, [1, 2, partial], 'take'],
  ['a gap', { stream: 1, sequence: 1 }, { epoch: 1, stream: 1 }, [1, 3, full], 'end'],
  ['a repetition', { stream: 1, sequence: 1 }, { epoch: 1, stream: 1 }, [1, 1, full], 'end'],
  [
    'a change before anything whole',
    { stream: 1, sequence: 0 },
    { epoch: 0, stream: undefined },
    [1, 1, partial],
    'end',
  ],
  ['a lower epoch', { stream: 1, sequence: 4 }, { epoch: 2, stream: 2 }, [1, 5, full], 'ignore'],
  ['a change of a lower epoch', { stream: 1, sequence: 4 }, { epoch: 2, stream: 2 }, [1, 5, partial], 'ignore'],
  [
    'a lower epoch after its stream ended',
    { stream: 1, sequence: 4 },
    { epoch: 2, stream: undefined },
    [1, 5, full],
    'ignore',
  ],
  ['a higher epoch', { stream: 2, sequence: 0 }, { epoch: 1, stream: 1 }, [2, 1, full], 'take'],
  ['a higher epoch on the same stream', { stream: 1, sequence: 7 }, { epoch: 1, stream: 1 }, [2, 8, full], 'take'],
  ['a higher epoch without the whole', { stream: 1, sequence: 7 }, { epoch: 1, stream: 1 }, [2, 8, partial], 'end'],
  ['the same leader on a new stream', { stream: 2, sequence: 0 }, { epoch: 1, stream: 1 }, [1, 1, full], 'take'],
  ['the same leader on its old stream', { stream: 1, sequence: 3 }, { epoch: 1, stream: 2 }, [1, 4, partial], 'end'],
] as const)('%s', (_, position, source, [epoch, sequence, isFull], want) => {
  expect(judgeRoutes(position, source, { epoch, sequence, full: isFull })).toBe(want);
});
