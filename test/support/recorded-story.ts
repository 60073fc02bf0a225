/**
 * The answers of a model that builds what the blueprints build, through the model's own doors: a plan
 * as structured output, then a conversation that reads an app's files and writes them. What it writes
 * follows from what it was shown, so that a person's edits stay.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { planChange } from '../../activities/producer/apply-change.ts';
import { readBlueprints, readFiles, readTemplate } from '../../activities/producer/blueprints.ts';
import type { TemplateFile } from '../../activities/producer/blueprints.ts';
import { writeTemplate } from '../../activities/producer/write-template.ts';
import { architect } from '../../shared/architect/architect.ts';
import { BY_MODEL } from '../../shared/architect/plan.ts';
import type { ArchitectApp, PlanFeature } from '../../shared/architect/plan.ts';
import { calls, says } from './model-server.ts';
import type { Asked, Message, Played } from './model-server.ts';

const blueprintsDir = new URL('../../blueprints', import.meta.url).pathname;
/** A model can invent a version of a package and not its checksum: these come with the app. */
const FIXED = new Set(['package.json', 'package-lock.json']);

export async function playStory({ body: { messages, tools } }: Asked): Promise<Played> {
  return tools === undefined ? await plan(messages) : await build(messages);
}

async function plan(messages: readonly Message[]): Promise<Played> {
  const blueprints = await readBlueprints(blueprintsDir);
  const said = textOf(messages, 'system');
  const { apps, services } = JSON.parse(said.slice(said.indexOf('\n{'))) as { apps: ArchitectApp[]; services: string[] };
  const known = apps.map((app, at) => ({ ...app, isPrimary: at === 0, archived: false, changes: [], blueprint: blueprints.find(({ slug }) => slug === app.slug)?.id ?? null }));
  const { features } = architect(textOf(messages, 'user'), { apps: known, services }, blueprints);
  return says(JSON.stringify({ features: features.map(byModel) }));
}

function byModel({ blueprint, change, createsApp, ...feature }: PlanFeature): object {
  return { ...feature, blueprint: BY_MODEL, change: change === null ? null : feature.id, createsApp: createsApp ?? null, brief: `As it was recorded: ${blueprint}/${change ?? ''}.` };
}

async function build(messages: readonly Message[]): Promise<Played> {
  const asked = textOf(messages, 'user');
  const [, blueprint = '', change = ''] = /As it was recorded: ([a-z-]+)\/([a-z-]*)\./.exec(asked) ?? [];
  const name = JSON.parse(/, for the app ("(?:[^"\\]|\\.)*")\./.exec(asked)?.[1] ?? '""') as string;
  const answers = messages.filter(({ role }) => role === 'assistant').length;
  const results = messages.filter(({ role }) => role === 'tool').map(({ content }) => String(content));
  if (change === '') return answers === 0 ? write(await created(blueprint, name)) : says('It is built.');
  const [list = '', ...read] = results;
  const paths = list.split('\n').filter((path) => !FIXED.has(path));
  switch (answers) {
    case 0:
      return calls([{ name: 'list', input: {} }]);
    case 1:
      return calls(paths.map((path) => ({ name: 'read', input: { path } })));
    case 2:
      return write(await changed(blueprint, change, paths.map((path, at) => ({ path, content: Buffer.from(read[at] ?? '') }))));
    case 3:
      return calls([{ name: 'check', input: {} }]);
    default:
      return says(results.at(-1) === 'All is well.' ? 'It is changed.' : 'I give up.');
  }
}

const write = (files: readonly TemplateFile[]): Played => calls(files.filter(({ path }) => !FIXED.has(path)).map(({ path, content }) => ({ name: 'write', input: { path, content: content.toString('utf8') } })));

async function created(blueprint: string, name: string): Promise<readonly TemplateFile[]> {
  const template = await readTemplate(blueprintsDir, blueprint);
  return await inFolder([], async (root) => {
    await writeTemplate(root, template, name);
    return await readFiles(root);
  });
}

async function changed(blueprint: string, change: string, files: readonly TemplateFile[]): Promise<readonly TemplateFile[]> {
  return await inFolder(files, async (root) => await planChange({ blueprintsDir, blueprint, change, root, slug: blueprint }));
}

async function inFolder<T>(files: readonly TemplateFile[], work: (root: string) => Promise<T>): Promise<T> {
  const root = await mkdtemp(join(tmpdir(), 'adorable-recorded-'));
  try {
    for (const { path, content } of files) {
      await mkdir(dirname(join(root, path)), { recursive: true });
      await writeFile(join(root, path), content);
    }
    return await work(root);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

function textOf(messages: readonly Message[], role: string): string {
  const content = messages.find((message) => message.role === role)?.content;
  if (typeof content === 'string') return content;
  return Array.isArray(content) ? content.map((part: { text?: string }) => part.text ?? '').join('') : '';
}
