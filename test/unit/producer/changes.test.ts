/** Changes of blueprints on apps that people work on: composable, idempotent, whole or refused with file and place. */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { readBlueprints, readFiles, readTemplate } from '../../../activities/producer/blueprints.ts';
import { applyEdits, parseEdits } from '../../../activities/producer/edits.ts';
import { createProducer } from '../../../activities/producer/producer.ts';

const blueprintsDir = new URL('../../../blueprints', import.meta.url).pathname;
const blueprints = await readBlueprints(blueprintsDir);
const scratch = mkdtempSync(join(tmpdir(), 'adorable-changes-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
const producer = createProducer({ blueprintsDir, checkRunner: '', node: '' });
let counter = 0;

class App {
  readonly dir = join(scratch, String((counter += 1)), 'apps', 'thing');
  readonly blueprint: string;
  constructor(blueprint: string) { this.blueprint = blueprint; }

  async give(change: string | null): Promise<void> {
    await producer.produce({ feature: { id: 'f', blueprint: this.blueprint, change }, appSlug: 'thing', appName: 'Thing', intoDir: this.dir });
  }

  read(path: string): string { return readFileSync(join(this.dir, path), 'utf8'); }
  write(path: string, text: string): void { writeFileSync(join(this.dir, path), text); }

  /** Every file with its bytes. */
  all(): Record<string, string> {
    const entries = readdirSync(this.dir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    return Object.fromEntries(entries.map((entry) => join(entry.parentPath, entry.name)).sort().map((path) => [path.slice(this.dir.length + 1), readFileSync(path, 'utf8')]));
  }
}

async function made(blueprint: string, ...changes: readonly string[]): Promise<App> {
  const app = new App(blueprint);
  for (const change of [null, ...changes]) await app.give(change);
  return app;
}

function permutations<T>(items: readonly T[]): T[][] {
  if (items.length === 0) return [[]];
  return items.flatMap((item, at) => permutations(items.filter((_other, index) => index !== at)).map((rest) => [item, ...rest]));
}

const changing = blueprints.filter(({ changes }) => changes.length > 0);

test('at least five changes, on more than one blueprint', () => {
  expect(changing.flatMap(({ changes }) => changes).length).toBeGreaterThanOrEqual(5);
  expect(changing.length).toBeGreaterThanOrEqual(3);
});

describe.each(changing.map((blueprint) => [blueprint.id, blueprint.changes.map(({ id }) => id)] as const))('%s', (blueprint, ids) => {
  const template = readTemplate(blueprintsDir, blueprint).then((files) => new Map(files.map((file) => [file.path, file.content.toString('utf8')])));

  test.each(ids.map((id) => [id]))('%s: a repeat changes nothing, and each of its lines is its own', async (id) => {
    const app = await made(blueprint, id);
    const once = app.all();
    await app.give(id);
    expect(app.all()).toEqual(once);
    for (const file of await readFiles(join(blueprintsDir, blueprint, 'features', id, 'edits'))) {
      const source = (await template).get(file.path.replace(/\.edit$/, '')) ?? '';
      // What stands in the template already would be taken for applied.
      for (const edit of parseEdits(file.content.toString('utf8'), file.path)) expect([file.path, source.includes(edit.lines.join('\n'))]).toEqual([file.path, false]);
    }
  });

  test('in any order: the same files, nothing twice, migrations only ever appended', async () => {
    const sets = new Set<string>();
    for (const order of permutations(ids)) {
      const app = new App(blueprint);
      await app.give(null);
      let migrations = Object.keys(app.all()).filter((path) => path.startsWith('migrations/'));
      for (const id of order) {
        const before = migrations.map((path) => app.read(path));
        await app.give(id);
        expect(migrations.map((path) => app.read(path))).toEqual(before);
        migrations = Object.keys(app.all()).filter((path) => path.startsWith('migrations/'));
      }
      expect(migrations.map((path) => path.slice('migrations/'.length, 'migrations/'.length + 4))).toEqual(migrations.map((_path, index) => String(index + 1).padStart(4, '0')));
      const files = app.all();
      for (const id of order) await app.give(id);
      expect(app.all()).toEqual(files);
      sets.add(Object.entries(files).map(([path, text]) => `${path.replace(/^migrations\/\d{4}_/, 'migrations/')} ${[...text].sort().join('').length}`).sort().join('\n'));
    }
    // Neighbouring insertions may stand in another order; no line is lost or doubled.
    expect(sets.size).toBe(1);
  });

  test.each(ids.map((id) => [id]))('%s: hand edits elsewhere stay', async (id) => {
    const app = await made(blueprint);
    app.write('src/styles.css', `${app.read('src/styles.css')}\n.mine { color: red; }\n`);
    app.write('src/app.tsx', `// A person was here.\n${app.read('src/app.tsx')}`);
    app.write('src/mine.ts', 'export const mine = 1;\n');
    await app.give(id);
    expect(app.read('src/styles.css')).toContain('.mine { color: red; }');
    expect(app.read('src/app.tsx')).toContain('// A person was here.\n');
    expect(app.read('src/mine.ts')).toBe('export const mine = 1;\n');
  });

  test.each(ids.map((id) => [id]))('%s: refused whole when any anchor was changed, naming file and place', async (id) => {
    for (const file of await readFiles(join(blueprintsDir, blueprint, 'features', id, 'edits'))) {
      const path = file.path.replace(/\.edit$/, '');
      for (const { anchor, where } of parseEdits(file.content.toString('utf8'), file.path)) {
        if (where === 'end') continue;
        const app = await made(blueprint);
        const [first = ''] = anchor;
        app.write(path, app.read(path).split('\n').map((line) => (line.trimEnd() === first ? `${line} // by hand` : line)).join('\n'));
        const before = app.all();
        await expect(app.give(id)).rejects.toMatchObject({ type: 'BuildFailed', message: expect.stringContaining(`apps/thing/${path}`), details: { change: id, errors: expect.arrayContaining([{ file: `apps/thing/${path}`, message: expect.stringContaining(JSON.stringify(first.trim()).slice(1, 30)) }]) } });
        expect(app.all()).toEqual(before);
      }
    }
  });

  test.each(ids.map((id) => [id]))('%s: a file or migration of a person under its name is not overwritten', async (id) => {
    const folder = join(blueprintsDir, blueprint, 'features', id);
    const names = [...(await readFiles(join(folder, 'files'))).map(({ path }) => path), ...(await readFiles(join(folder, 'migrations'))).map(({ path }) => `migrations/0007_${path}`)];
    for (const name of names) {
      const app = await made(blueprint);
      mkdirSync(join(app.dir, name, '..'), { recursive: true });
      app.write(name, 'mine\n');
      const before = app.all();
      await expect(app.give(id)).rejects.toMatchObject({ type: 'BuildFailed', message: expect.stringContaining(name) });
      expect(app.all()).toEqual(before);
    }
  });
});

test('a file that became a link is refused: nothing is read or written through it', async () => {
  const app = await made('blog');
  const elsewhere = join(scratch, 'elsewhere.ts');
  cpSync(join(app.dir, 'src/posts.ts'), elsewhere);
  rmSync(join(app.dir, 'src/posts.ts'));
  symlinkSync(elsewhere, join(app.dir, 'src/posts.ts'));
  const before = readFileSync(elsewhere, 'utf8');
  await expect(app.give('tags')).rejects.toMatchObject({ type: 'IsolationViolated' });
  expect(readFileSync(elsewhere, 'utf8')).toBe(before);
});

test('an unknown change is refused', async () => {
  const app = await made('blog');
  for (const change of ['rockets', '../tags', '']) await expect(app.give(change)).rejects.toMatchObject({ type: 'NoBlueprint' });
});

describe('edits', () => {
  const edit = (text: string) => parseEdits(text, 'x');
  test.each([
    ['after', '@@ after\nb\n@@ insert\nnew\n', 'a\nb\nc\n', 'a\nb\nnew\nc\n'],
    ['before', '@@ before\nb\n@@ insert\nnew\n', 'a\nb\nc\n', 'a\nnew\nb\nc\n'],
    ['replace', '@@ replace\nb\nc\n@@ insert\nnew\n', 'a\nb\nc\n', 'a\nnew\n'],
    ['end', '@@ end\n@@ insert\nnew\n', 'a\n', 'a\nnew\n'],
    ['a file without a last line break', '@@ after\na\n@@ insert\nnew\n', 'a', 'a\nnew'],
    ['what is there already', '@@ after\na\n@@ insert\nb\n', 'a\nb\n', 'a\nb\n'],
    ['trailing blanks do not count', '@@ after\na\n@@ insert\nnew\n', 'a  \nb\n', 'a  \nnew\nb\n'],
  ])('%s', (_what, edits, source, expected) => {
    expect(applyEdits(source, edit(edits))).toEqual({ text: expected, problems: [] });
  });

  test('an anchor that is there twice, or not at all, is a problem and no guess', () => {
    expect(applyEdits('a\nb\na\n', edit('@@ after\na\n@@ insert\nnew\n'))).toEqual({ text: 'a\nb\na\n', problems: [expect.stringContaining('2 times, not once (lines 1, 3)')] });
    expect(applyEdits('a\n', edit('@@ after\nb\n@@ insert\nnew\n')).problems).toEqual([expect.stringContaining('not there any more: "b"')]);
  });

  test.each([['@@ insert\nx\n'], ['@@ after\na\n'], ['@@ after\n@@ insert\nx\n'], ['@@ end\na\n@@ insert\nx\n'], ['@@ after\na\n@@ insert\n']])('%j is incomplete', (text) => {
    expect(() => edit(text)).toThrow();
  });
});
