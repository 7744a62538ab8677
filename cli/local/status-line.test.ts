import { expect, test } from '@jest/globals';
import type { ModelFunction } from '../../common/api/kinds.ts';
import { statusLine } from './status-line.ts';

const ready = (status: string, reason = 'Starting', message = ''): object => ({
  type: 'Ready',
  status,
  reason,
  message,
});

test.each([
  { status: undefined, line: 'digits  Starting' },
  {
    status: { conditions: [ready('Unknown')], replicas: 0, desiredReplicas: 1 },
    line: 'digits  Starting  0 of 1 replicas',
  },
  {
    status: { conditions: [ready('Unknown', 'Unschedulable', 'No node fits')], replicas: 0, desiredReplicas: 1 },
    line: 'digits  Starting  0 of 1 replicas  Unschedulable: No node fits',
  },
  { status: { conditions: [ready('True')], replicas: 2, desiredReplicas: 3 }, line: 'digits  Ready  2 of 3 replicas' },
  { status: { conditions: [ready('True')], replicas: 0, desiredReplicas: 0 }, line: 'digits  Ready  at zero' },
  {
    status: { conditions: [ready('False', 'ModelNotFound', 'There is no file x.')], replicas: 0, desiredReplicas: 1 },
    line: 'digits  Not ready  ModelNotFound: There is no file x.',
  },
])('$line', ({ status, line }) => {
  const fn = { metadata: { name: 'digits' }, ...(status === undefined ? {} : { status }) } as unknown as ModelFunction;
  expect(statusLine(fn)).toBe(line);
});
