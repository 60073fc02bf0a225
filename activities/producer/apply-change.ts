/**
 * One change of a blueprint on an app that is there, with whatever else it carries: new files, edits
 * at anchors, and migrations that are only ever appended. All of it is worked out before anything is
 * written, so that it is applied whole or not at all; where a person was first, it is refused.
 */
import { createHash } from 'node:crypto';
import { lstat, readdir, readFile, realpath } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { AdorableError } from '../../shared/errors.ts';
import { readFiles } from './blueprints.ts';
import type { TemplateFile } from './blueprints.ts';
import { applyEdits, parseEdits } from './edits.ts';

export interface ChangeInput {
  readonly blueprintsDir: string;
  readonly blueprint: string;
  readonly change: string;
  /** The app's own directory, resolved. */
  readonly root: string;
  readonly slug: string;
}

interface Problem {
  readonly file: string;
  readonly message: string;
}

const MIGRATIONS = 'migrations';

/** What the app's directory gets: only files that are new or differ. */
export async function planChange(input: ChangeInput): Promise<readonly TemplateFile[]> {
  const folder = join(input.blueprintsDir, input.blueprint, 'features', input.change);
  const problems: Problem[] = [];
  const written = [
    ...(await newFiles(input, await readFiles(join(folder, 'files')), problems)),
    ...(await editedFiles(input, await readFiles(join(folder, 'edits')), problems)),
    ...(await appendedMigrations(input, await readFiles(join(folder, MIGRATIONS)), problems)),
  ];
  if (problems.length > 0) throw refused(input, problems);
  return written;
}

async function newFiles({ root }: ChangeInput, files: readonly TemplateFile[], problems: Problem[]): Promise<TemplateFile[]> {
  const written: TemplateFile[] = [];
  for (const file of files) {
    const there = await readInside(root, file.path);
    if (there === undefined) written.push(file);
    else if (!there.equals(file.content)) problems.push({ file: file.path, message: 'a file of that name is there already, with other content' });
  }
  return written;
}

async function editedFiles({ root }: ChangeInput, files: readonly TemplateFile[], problems: Problem[]): Promise<TemplateFile[]> {
  const written: TemplateFile[] = [];
  for (const { path: name, content } of files) {
    const path = name.replace(/\.edit$/, '');
    const there = await readInside(root, path);
    if (there === undefined) {
      problems.push({ file: path, message: 'the file is not there any more' });
      continue;
    }
    const before = there.toString('utf8');
    const edited = applyEdits(before, parseEdits(content.toString('utf8'), name));
    problems.push(...edited.problems.map((message) => ({ file: path, message })));
    if (edited.text !== before) written.push({ path, content: Buffer.from(edited.text) });
  }
  return written;
}

/** `tags.sql` becomes `0002_tags.sql`, or whatever comes next in this app; its own earlier one is left alone. */
async function appendedMigrations({ root }: ChangeInput, files: readonly TemplateFile[], problems: Problem[]): Promise<TemplateFile[]> {
  if (files.length === 0) return [];
  const present = await migrationsOf(root);
  let last = Math.max(0, ...present.map((name) => Number(name.slice(0, 4))));
  const written: TemplateFile[] = [];
  for (const file of files) {
    const earlier = present.find((name) => name.slice(5) === file.path);
    if (earlier === undefined) {
      last += 1;
      written.push({ path: `${MIGRATIONS}/${String(last).padStart(4, '0')}_${file.path}`, content: file.content });
      continue;
    }
    const there = await readInside(root, `${MIGRATIONS}/${earlier}`);
    if (there === undefined || digest(there) !== digest(file.content)) problems.push({ file: `${MIGRATIONS}/${earlier}`, message: 'a migration of that name is there already, with other content' });
  }
  return written;
}

async function migrationsOf(root: string): Promise<readonly string[]> {
  try {
    return (await readdir(join(root, MIGRATIONS))).filter((name) => /^\d{4}_[a-z0-9_]+\.sql$/.test(name)).sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** A link could lead to what belongs to somebody else: it is no file of the app's (I10). */
async function readInside(root: string, path: string): Promise<Buffer | undefined> {
  const file = join(root, path);
  const entry = await lstat(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    throw error;
  });
  if (entry === undefined) return undefined;
  if (!entry.isFile() || !(await realpath(file)).startsWith(`${root}${sep}`)) {
    throw new AdorableError('IsolationViolated', `${path} is no plain file of its app: nothing was written.`);
  }
  return await readFile(file);
}

function refused({ change, slug }: ChangeInput, problems: readonly Problem[]): AdorableError {
  const [first] = problems;
  const more = problems.length > 1 ? ` (and ${String(problems.length - 1)} more)` : '';
  return new AdorableError(
    'BuildFailed',
    `${change} does not fit ${slug} as it is now: apps/${slug}/${first?.file ?? ''}: ${first?.message ?? ''}${more}. Nothing was written; put those lines back, or make the change by hand.`,
    { details: { slug, change, errors: problems.map(({ file, message }) => ({ file: `apps/${slug}/${file}`, message })) } },
  );
}

const digest = (content: Buffer): string => createHash('sha256').update(content).digest('hex');
