/** LSNs order as 64-bit numbers, never as text, and one position has one spelling. */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { compareLsn, lsnText, lsnValue, parseLsn } from '../../../shared/lsn.ts';

const position = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });

test('text and value are each other\'s inverse over all 64 bits', () => {
  fc.assert(fc.property(position, (value) => {
    expect(lsnValue(lsnText(value))).toBe(value);
    expect(parseLsn(lsnText(value))).toBe(lsnText(value));
  }));
});

test('order is that of the value', () => {
  fc.assert(fc.property(position, position, (a, b) => {
    expect(Math.sign(compareLsn(lsnText(a), lsnText(b)))).toBe(a < b ? -1 : a > b ? 1 : 0);
  }));
  expect(compareLsn(parseLsn('9/0'), parseLsn('10/0'))).toBe(-1);
  expect(compareLsn(parseLsn('0/FFFFFFFF'), parseLsn('1/0'))).toBe(-1);
});

test.each([['0/0000abcd', '0/ABCD'], ['00/1', '0/1'], ['16/B374D848', '16/B374D848']])('%s is written as %s, so that equal positions are equal text', (given, written) => {
  expect(parseLsn(given)).toBe(written);
});

test.each(['', '0', '/', '0/', '/0', '0/0/0', '123456789/0', '0/123456789', 'G/0', '0/ 1', '0/1\n', '-1/0', 7, null, undefined, {}])('%j is no LSN', (value) => {
  expect(() => parseLsn(value)).toThrow(expect.objectContaining({ type: 'InvalidInput' }));
});
