import { expect, test } from '@jest/globals';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mirrorOf, openPodAddresses } from '../../../local/node/pod-addresses.ts';

test('an address is kept over a restart, unique, and not given again at once', () => {
  const file = join(mkdtempSync(join(tmpdir(), 'addresses-')), 'a.json');
  const addresses = openPodAddresses(file);
  const first = addresses.take('a');
  expect(openPodAddresses(file).take('a')).toBe(first);
  const second = addresses.take('b');
  addresses.release('a');
  const third = addresses.take('c');
  expect(new Set([first, second, third]).size).toBe(3);
  expect(mirrorOf(first, '127.196')).toMatch(/^127\.196\.\d+\.\d+$/);
});

test('addresses that look like a network or a broadcast are skipped', () => {
  const addresses = openPodAddresses(join(mkdtempSync(join(tmpdir(), 'addresses-')), 'a.json'));
  const all = Array.from({ length: 600 }, (_, index) => addresses.take(String(index)));
  expect(all.filter((address) => /\.(0|255)$/.test(address))).toEqual([]);
  expect(new Set(all).size).toBe(600);
});
