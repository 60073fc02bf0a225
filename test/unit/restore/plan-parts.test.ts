/** What a restore's plan names: schema changes, tables, objects and credentials, by pure comparison. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { KubeObject } from '../../../shared/manifests/kube-object.ts';
import { objectChanges } from '../../../shared/restore/object-changes.ts';
import { revivedCredentials } from '../../../shared/restore/revived-credentials.ts';
import { changedTables } from '../../../shared/restore/row-changes.ts';
import { migrationsSince } from '../../../shared/restore/schema-changes.ts';

const finance = 'a_000000000001';
const board = 'a_000000000002';
const names = new Map([[finance, 'finance'], [board, 'board']]);
const mark = (owner: string, name: string, checksum = '1') => ({ owner, name, checksum });

describe('migrationsSince', () => {
  test('names what is undone, redone and different, by the app\'s slug', () => {
    const now = [mark(finance, '0001'), mark(finance, '0002'), mark('directus', 'its own schema', '7')];
    const then = [mark(finance, '0001'), mark(board, '0001'), mark('directus', 'its own schema', '5')];
    expect(migrationsSince(now, then, names)).toEqual([
      { owner: 'board', name: '0001', change: 'redone' },
      { owner: 'directus', name: 'its own schema', change: 'differs' },
      { owner: 'finance', name: '0002', change: 'undone' },
    ]);
  });

  const marks = fc.uniqueArray(fc.record({ owner: fc.constantFrom(finance, board, 'directus'), name: fc.constantFrom('0001', '0002', '0003'), checksum: fc.constantFrom('1', '2') }), { selector: ({ owner, name }) => `${owner}/${name}` });
  test('a moment has no changes since itself, and the way back is the way there turned round', () => {
    fc.assert(fc.property(marks, marks, (a, b) => {
      expect(migrationsSince(a, a.toReversed())).toEqual([]);
      const turned = { undone: 'redone', redone: 'undone', differs: 'differs' } as const;
      expect(migrationsSince(b, a)).toEqual(migrationsSince(a, b).map((change) => ({ ...change, change: turned[change.change] })));
    }));
  });
});

test('tables carry the app\'s slug for people and keep their own name for machines', () => {
  expect(changedTables([{ table: `${finance}.transactions`, rows: 3 }, { table: 'directus.posts', rows: 1 }], [{ table: `${finance}.transactions`, rows: 2 }], names)).toEqual([
    { table: `${finance}.transactions`, label: 'finance.transactions', now: 3, then: 2 },
    { table: 'directus.posts', label: 'directus.posts', now: 1, then: null },
  ]);
});

test('objects are created, configured or deleted by name; order of fields is no change', () => {
  const object = (kind: string, name: string, spec: unknown): KubeObject => ({ apiVersion: 'v1', kind, metadata: { name }, spec });
  expect(objectChanges(
    [object('Service', 'app', { a: 1, b: 2 }), object('Deployment', 'app', { tree: 'x' }), object('Deployment', 'app-blog', {})],
    [object('Service', 'app', { b: 2, a: 1 }), object('Deployment', 'app', { tree: 'y' }), object('Ingress', 'app', {})],
  )).toEqual({ created: ['Ingress/app'], configured: ['Deployment/app'], deleted: ['Deployment/app-blog'] });
});

test('credentials revive where the version moved on; one that is gone or the same does not', () => {
  expect(revivedCredentials(
    { [`app/${finance}/PGPASSWORD`]: 3, 'compute/ADMIN_PASSWORD': 1, 'service/directus/DB_PASSWORD': 2 },
    { [`app/${finance}/PGPASSWORD`]: 1, 'compute/ADMIN_PASSWORD': 1, 'service/directus/DB_PASSWORD': 1, [`app/${board}/PGPASSWORD`]: 1 },
    names,
  )).toEqual([{ secret: 'app finance PGPASSWORD', then: 1, now: 3 }, { secret: 'service directus DB_PASSWORD', then: 1, now: 2 }]);
});
