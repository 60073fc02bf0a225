/** What is no data directory of ours, or one of another version, is refused before anything changes. */
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkDataDirectory } from '../../../local/supervisor/data-directory.ts';
import { isRoot } from '../../../local/uids.ts';

let scratch: string;
beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'adorable-data-'));
  chmodSync(scratch, 0o711);
});
afterEach(() => rmSync(scratch, { recursive: true, force: true }));

const refusal = (type: string) => expect.objectContaining({ type });
const refused = (data: string): unknown => {
  try {
    checkDataDirectory(data);
    return undefined;
  } catch (error) {
    return error;
  }
};

test('a new, an empty and a right one are accepted', () => {
  expect(refused(join(scratch, 'new'))).toBeUndefined();
  expect(refused(scratch)).toBeUndefined();
  writeFileSync(join(scratch, 'version'), '1\n');
  writeFileSync(join(scratch, 'other'), '');
  expect(refused(scratch)).toBeUndefined();
});

test("another version's, and a directory of somebody else's files, are refused untouched", () => {
  writeFileSync(join(scratch, 'thesis.txt'), '');
  expect(refused(scratch)).toEqual(refusal('DataDirectoryVersion'));
  writeFileSync(join(scratch, 'version'), '7\n');
  expect(refused(scratch)).toEqual(refusal('DataDirectoryVersion'));
  expect(readdirSync(scratch)).toEqual(['thesis.txt', 'version']);
});

test('a path too long for its sockets is refused', () => {
  expect(refused(join(scratch, 'x'.repeat(90)))).toEqual(refusal('InvalidInput'));
});

(isRoot ? test : test.skip)('as root, a place that other users cannot reach is refused', () => {
  mkdirSync(join(scratch, 'mine'), { mode: 0o700 });
  expect(refused(join(scratch, 'mine', 'data'))).toEqual(refusal('InvalidInput'));
});
