import { expect, test } from '@jest/globals';
import { cutText } from './cut-text.ts';

test.each([
  ['fits', 4, '…', 'fits'],
  ['häßlich', 3, '', 'hä'],
  ['häßlich', 4, '', 'hä'],
  ['häßlich', 5, '', 'häß'],
  ['😀😀', 7, '', '😀'],
  ['häßlich', 6, '…', 'hä…'],
])('of %j %i bytes with the mark %j are %j', (text, mostBytes, mark, cut) => {
  expect(cutText(text, mostBytes, mark)).toBe(cut);
});
