/** A stored hash that fits the password is recognized, so that asserting it again changes no row of the branch (I1). */
import { describe, expect, test } from '@jest/globals';
import { hashDirectusPassword, isDirectusPassword } from '../../../activities/data/seeds/directus.ts';

describe('the password that Directus keeps', () => {
  const stored = hashDirectusPassword('correct horse');

  test('fits its own hash, whatever the salt, and no other', () => {
    const again = hashDirectusPassword('correct horse');
    expect(again).not.toBe(stored);
    for (const hash of [stored, again]) expect(isDirectusPassword(hash, 'correct horse')).toBe(true);
    expect(isDirectusPassword(stored, 'correct horses')).toBe(false);
  });

  test.each([
    ['nothing', null], ['no hash', 'correct horse'], ['another algorithm', stored.replace('argon2id', 'argon2i')],
    ['a cut hash', stored.slice(0, -1 - stored.length / 4)], ['an empty tag', stored.replace(/[^$]+$/, '')],
  ])('%s does not fit', (_what, hash) => {
    expect(isDirectusPassword(hash, 'correct horse')).toBe(false);
  });
});
