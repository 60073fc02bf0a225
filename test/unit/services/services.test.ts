/** Registry and tiers: what decides what may be deprovisioned, and in which order things start. */
import { describe, expect, test } from '@jest/globals';
import { loadCatalog } from '../../../activities/infra/catalog.ts';
import { codeServiceIds, isCodeDefinedService } from '../../../shared/services/built-ins.ts';
import { imageAt } from '../../../shared/services/catalog.ts';
import { deployOrder } from '../../../shared/services/deploy-order.ts';
import { createRegistry } from '../../../shared/services/registry.ts';

const service = (id: string, more: object = {}) => ({
  where: `${id}/service.json`,
  value: { id, title: id, version: '1.0', image: `example/${id}:1.0`, port: 80, state: 'none', readyCheck: { tcpSocket: { port: 80 } }, ...more },
});

describe('the registry', () => {
  test('the shipped catalog loads, and nothing of it counts as built in', () => {
    const registry = loadCatalog();
    expect(registry.catalog.map(({ id }) => id)).toContain('directus');
    expect([...codeServiceIds].sort()).toEqual(['postgres', 'react-frontend', 's3', 'trpc-api']);
    expect(registry.catalog.filter(({ id }) => isCodeDefinedService(id))).toEqual([]);
    expect(registry.find('directus')?.uncovered.length).toBeGreaterThan(0);
  });

  test.each([
    ['an id of a built-in', service('postgres'), /built-in/],
    ['a name of a Deployment', service('neon-compute'), /Deployment/],
    ['a name that an app would have', service('app-blog'), /Deployment/],
    ['an unknown field', service('redis', { prot: 80 }), /redis\/service\.json/],
    ['two ready checks', service('redis', { readyCheck: { tcpSocket: { port: 1 }, exec: { command: ['x'] } } }), /exactly one/],
    ['a requirement that nobody is', service('redis', { requires: ['valkey'] }), /valkey/],
  ])('refuses %s', (_name, entry, reason) => {
    expect(() => createRegistry([entry])).toThrow(reason);
  });

  test('refuses one id twice', () => {
    expect(() => createRegistry([service('redis'), service('redis')])).toThrow(/another catalog service/);
  });

  test('an undefined declared service is refused, never skipped', () => {
    expect(() => createRegistry([]).declared(['postgres', 'redis'])).toThrow(/redis/);
  });

  test('an image follows the version of its moment', () => {
    const [redis] = createRegistry([service('redis')]).declared(['redis']);
    expect(redis && imageAt(redis, '0.9')).toBe('example/redis:0.9');
    expect(redis && imageAt(redis, undefined)).toBe('example/redis:1.0');
  });
});

describe('deployOrder', () => {
  const registry = createRegistry([service('redis'), service('directus', { requires: ['postgres', 's3'] }), service('strapi', { requires: ['postgres', 'redis'] })]);

  test("the seed's picture", () => {
    const items = [
      { name: 'neon-compute', requires: [] }, { name: 'redis', requires: [] }, { name: 'directus', requires: ['postgres', 's3'] }, { name: 'strapi', requires: ['postgres', 'redis'] },
      { name: 'app', requires: ['react-frontend', 'trpc-api'] }, { name: 'app-blog', requires: ['react-frontend'] },
    ];
    expect(deployOrder(items, registry)).toEqual([['app-blog', 'neon-compute', 'redis'], ['app', 'directus', 'strapi']]);
    expect(deployOrder([...items].reverse(), registry)).toEqual(deployOrder(items, registry));
  });

  test('a chain has one tier each', () => {
    const chain = ['a', 'b', 'c'].map((name, index, all) => ({ name, requires: index === 0 ? [] : [all[index - 1] as string] }));
    expect(deployOrder(chain, registry)).toEqual([['a'], ['b'], ['c']]);
  });

  test('a circle is refused and names who is in it', () => {
    const circle = [{ name: 'a', requires: ['b'] }, { name: 'b', requires: ['a'] }, { name: 'c', requires: [] }];
    expect(() => deployOrder(circle, registry)).toThrow(expect.objectContaining({ type: 'InvalidInput', message: expect.stringContaining('a, b') }));
  });

  test('something required but not declared is refused', () => {
    expect(() => deployOrder([{ name: 'strapi', requires: ['redis'] }], registry)).toThrow(/redis/);
  });
});
