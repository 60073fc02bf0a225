import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { refuseContent } from '../../../activities/code/app-content.ts';
import { refuseForeignPackages } from '../../../activities/code/app-packages.ts';
import { refuseEscapes } from '../../../activities/code/app-tree.ts';
import { readBlueprints, readTemplate } from '../../../activities/producer/blueprints.ts';
import { depsHash } from '../../../activities/producer/deps.ts';
import { parseSlug } from '../../../shared/slug.ts';

const dir = new URL('../../../blueprints', import.meta.url).pathname;
const blueprints = await readBlueprints(dir);

const lockfileOf = (id: string) => JSON.parse(readFileSync(`${dir}/${id}/template/package-lock.json`, 'utf8')) as Parameters<typeof depsHash>[0];

test('four blueprints, each with a name of its own', () => {
  expect(blueprints.map(({ id }) => id)).toEqual(['blog', 'finance-tracker', 'portfolio', 'task-board']);
  expect(new Set(blueprints.map(({ slug }) => slug)).size).toBe(4);
});

test('all apps share one set of dependencies, whatever they are called', () => {
  expect(new Set(blueprints.map(({ id }) => depsHash(lockfileOf(id)))).size).toBe(1);
  const other = lockfileOf('blog');
  const packages = { ...other.packages, 'node_modules/left-pad': { version: '1.3.0' } };
  expect(depsHash({ ...other, packages })).not.toBe(depsHash(other));
});

describe.each(blueprints.map((blueprint) => [blueprint.id, blueprint] as const))('%s', (id, blueprint) => {
  test('has a valid slug, exact versions and no registry address', async () => {
    parseSlug(blueprint.slug);
    const files = new Map((await readTemplate(dir, id)).map((file) => [file.path, file.content.toString('utf8')]));
    const manifest = JSON.parse(files.get('package.json') ?? '{}') as { dependencies: Record<string, string>; devDependencies: Record<string, string> };
    for (const version of Object.values({ ...manifest.dependencies, ...manifest.devDependencies })) expect(version).toMatch(/^\d+\.\d+\.\d+$/);
    expect(files.get('package-lock.json')).not.toMatch(/"resolved"|https?:\/\/registry/);
    expect(files.has('server/router.ts')).toBe(blueprint.kind === 'fullstack');
    expect(files.has('migrations/0001_init.sql')).toBe(blueprint.kind === 'fullstack');
  });

  test('is what a producer may write', async () => {
    const template = `${dir}/${id}/template`;
    const paths = (await readTemplate(dir, id)).map(({ path }) => path);
    expect(await refuseEscapes(template)).toBe(paths.length);
    await refuseContent(template, paths);
    await refuseForeignPackages(template);
  });

  test('loads nothing from elsewhere and has no other placeholder', async () => {
    for (const { path, content } of await readTemplate(dir, id)) {
      if (path === 'package-lock.json') continue;
      const text = content.toString('utf8');
      expect([path, text.match(/__[A-Z_]+__/g)?.filter((found) => found !== '__APP_NAME__') ?? []]).toEqual([path, []]);
      expect([path, /dangerouslySetInnerHTML|fonts\.googleapis|cdn\./.test(text)]).toEqual([path, false]);
      if (path.endsWith('.sql')) expect(text).not.toMatch(/\b(?:CREATE|REFERENCES|INTO)\s+(?:TABLE\s+)?\w+\.\w+/i);
    }
  });
});
