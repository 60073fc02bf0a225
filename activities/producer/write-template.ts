/** Files of a template in an app's own directory, with the app's name in its place. */
import { mkdir, realpath, writeFile } from 'node:fs/promises';
import { dirname, extname, join, sep } from 'node:path';
import { AdorableError } from '../../shared/errors.ts';
import type { TemplateFile } from './blueprints.ts';

const APP_NAME = '__APP_NAME__';

/** `root` is the app's directory, resolved. */
export async function writeTemplate(root: string, files: readonly TemplateFile[], appName: string): Promise<void> {
  for (const { path, content } of files) await writeInside(root, path, fillName(path, content, appName));
}

/** A link that an earlier step left behind could lead a write out of the app. */
async function writeInside(root: string, path: string, content: Buffer): Promise<void> {
  const file = join(root, path);
  await mkdir(dirname(file), { recursive: true });
  const parent = await realpath(dirname(file));
  if (parent !== root && !parent.startsWith(`${root}${sep}`)) {
    throw new AdorableError('IsolationViolated', `${path} leads out of its app's directory: nothing more was written.`);
  }
  await writeFile(file, content, { mode: 0o644 });
}

/** The display name is the only placeholder, escaped for the kind of file it stands in. */
function fillName(path: string, content: Buffer, name: string): Buffer {
  const extension = extname(path);
  if (!['.html', '.ts', '.tsx', '.json'].includes(extension)) return content;
  const text = content.toString('utf8');
  return text.includes(APP_NAME) ? Buffer.from(text.replaceAll(APP_NAME, () => escapeName(extension, name)), 'utf8') : content;
}

function escapeName(extension: string, name: string): string {
  if (extension === '.html') return name.replace(/[&<>"']/g, (char) => `&#${String(char.charCodeAt(0))};`);
  const quoted = JSON.stringify(name).slice(1, -1);
  // Templates put the name between single quotes in code.
  return extension === '.json' ? quoted : quoted.replaceAll("'", "\\'").replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029');
}
