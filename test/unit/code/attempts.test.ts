/** Attempts at one bucket, on real git: what the next one finds, when it is repeated, and who is asked. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AdorableError } from '../../../shared/errors.ts';
import type { CheckFinding } from '../../../shared/ports.ts';
import type { ProduceRequest } from '../../../activities/code/code-deps.ts';
import { app, bucket, createWorld, generate, operation, REVISION } from './code-world.ts';
import type { World } from './code-world.ts';

let world: World;
const blog = app(1, 'blog');
const fenced = operation(2);
const errors: CheckFinding[] = [{ kind: 'type', file: 'apps/blog/main.ts', line: 1, message: 'no' }];
const produce = (attempt?: number) => ({ ...fenced, bucket: bucket(blog), revisionId: REVISION, ...(attempt === undefined ? {} : { previous: { attempt, errors } }) });
const file = (): string => join(world.projectsDir, fenced.projectId, 'scratch', fenced.operationId, blog.id, 'apps', 'blog', 'main.ts');

beforeEach(async () => {
  world = createWorld();
  world.declared = { ...world.declared, apps: [blog] };
  world.canMend = true;
  await world.code.ensureRepository(operation(1));
  // Each attempt adds to what it finds.
  world.produce = ({ intoDir, previous }) => {
    const path = join(intoDir, 'main.ts');
    writeFileSync(path, previous === undefined ? 'first\n' : `${readFileSync(path, 'utf8')}after ${String(previous.attempt)}: ${previous.errors[0]?.message ?? ''}\n`);
  };
});
afterEach(async () => { await world.remove(); });

describe('attempts', () => {
  test('the next one mends the files of the one before, however often it is repeated, up to the limit', async () => {
    expect(await world.code.produceApp(produce())).toMatchObject({ canMend: true });
    expect(await world.code.produceApp(produce(1))).toMatchObject({ canMend: true });
    expect(await world.code.produceApp(produce(1))).toMatchObject({ canMend: true });
    expect(readFileSync(file(), 'utf8')).toBe('first\nafter 1: no\n');
    expect(await world.code.produceApp(produce(2))).toMatchObject({ canMend: false });
    expect(readFileSync(file(), 'utf8')).toBe('first\nafter 1: no\nafter 2: no\n');
    await world.code.dropRun(fenced);
    expect(world.git('for-each-ref', 'refs/adorable/run')).toBe('');
  });

  test('one that is not kept cannot be mended', async () => {
    await expect(world.code.produceApp(produce(1))).rejects.toMatchObject({ type: 'PreconditionFailed' });
  });

  test('with several features, the others are not asked to write theirs once more', async () => {
    const asked: string[] = [];
    world.deps.producer.canMend = ({ id }) => id !== 'fixed-2';
    world.produce = ({ feature, previous }) => { asked.push(`${feature.id}${previous === undefined ? '' : ' mends'}`); };
    const features = ['fixed-2', 'model-1', 'model-3', 'fixed-2'];
    const request = { ...fenced, bucket: { ...bucket(blog), featureIds: features }, revisionId: REVISION };
    await world.code.produceApp(request);
    await world.code.produceApp({ ...request, previous: { attempt: 1, errors } });
    expect(asked).toEqual([...features, 'model-3 mends']);
  });

  test('a producer that cannot mend leaves nothing to go back to', async () => {
    world.canMend = false;
    expect(await world.code.produceApp(produce())).toMatchObject({ canMend: false });
    expect(world.git('for-each-ref', 'refs/adorable/run')).toBe('');
  });

  test('the check is told which attempt it looks at', async () => {
    const seen: number[] = [];
    world.deps.producer.check = async ({ attempt }) => { await Promise.resolve(); seen.push(attempt); throw new AdorableError('BuildFailed', `attempt ${String(attempt)}`); };
    world.produce = ({ intoDir }) => { writeFileSync(join(intoDir, 'package-lock.json'), '{}'); };
    await world.code.produceApp(produce());
    await expect(world.code.checkApp({ ...fenced, bucket: bucket(blog), attempt: 2 })).rejects.toMatchObject({ type: 'BuildFailed' });
    expect(seen).toEqual([2]);
  });
});

describe('the context that a producer receives (costume 1)', () => {
  test('comes from the objects of HEAD, not from the worktree; names both apps, holds the text of one', async () => {
    const finance = app(2, 'personal-finance');
    const provider = (name: string) => `export function TRPCProvider() { return '${name}'; }\n`;
    world.canMend = false;
    world.produce = ({ intoDir, appSlug }) => { writeFileSync(join(intoDir, 'trpc.ts'), provider(appSlug)); writeFileSync(join(intoDir, 'package-lock.json'), '{}'); };
    await generate(world, operation(2), [finance, blog]);
    world.write('apps/blog/trpc.ts', 'export const dirty = 1;\n');

    let seen: ProduceRequest | undefined;
    world.produce = (request) => { seen = request; };
    await world.code.produceApp({ ...operation(3), bucket: bucket(blog), revisionId: REVISION });
    expect(seen?.context.symbols.map(({ name, path, appId }) => ({ name, path, appId }))).toEqual([
      { name: 'TRPCProvider', path: 'apps/blog/trpc.ts', appId: blog.id },
      { name: 'TRPCProvider', path: 'apps/personal-finance/trpc.ts', appId: finance.id },
    ]);
    expect(seen?.context.files).toContainEqual({ path: 'apps/blog/trpc.ts', text: provider('blog') });
    expect(JSON.stringify([seen?.context, seen?.context.search('TRPCProvider')])).not.toContain("return 'personal-finance'");
  });
});
