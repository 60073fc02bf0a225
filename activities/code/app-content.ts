/**
 * What the files that a producer wrote may contain: text that is text, pictures, fonts and the like up
 * to a size, and nothing that git or npm would take as an instruction. A person's own files, which
 * came with HEAD, are theirs.
 */
import { isUtf8 } from 'node:buffer';
import { lstat, readFile } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { refused, tooMuch } from './app-tree.ts';

const MAX_TEXT = 2_000_000;
const MAX_ASSET = 10_000_000;
const MAX_TOTAL = 50_000_000;

/** Binary files by what they are for; whatever else is written must be UTF-8 text. */
const ASSETS = new Set(['.png', '.jpg', '.jpeg', '.gif', '.webp', '.avif', '.ico', '.woff', '.woff2', '.ttf', '.otf', '.mp3', '.ogg', '.wav', '.mp4', '.webm', '.pdf']);
/** Read by git or a package manager of whoever works in the tree: filters, submodules, registries, hooks. */
const INSTRUCTIONS = new Set(['.gitattributes', '.gitmodules', '.gitconfig', '.npmrc', '.yarnrc', '.yarnrc.yml', '.pnpmfile.cjs', 'pnpm-workspace.yaml', 'npm-shrinkwrap.json']);

/** Paths from the app's directory; what was deleted is skipped. */
export async function refuseContent(appDir: string, paths: readonly string[]): Promise<void> {
  const problems: string[] = [];
  let total = 0;
  for (const path of paths) {
    const found = await lstat(join(appDir, path)).catch(() => undefined);
    if (found?.isFile() !== true) continue;
    if (INSTRUCTIONS.has(basename(path).toLowerCase())) problems.push(`${path}: instructs git or a package manager`);
    const isAsset = ASSETS.has(extname(path).toLowerCase());
    const limit = isAsset ? MAX_ASSET : MAX_TEXT;
    if (found.size > limit) throw tooMuch(`${path} has ${String(found.size)} bytes, at most ${String(limit)} are allowed`);
    total += found.size;
    if (total > MAX_TOTAL) throw tooMuch(`what was written has more than ${String(MAX_TOTAL)} bytes`);
    if (!isAsset && !isPlainText(await readFile(join(appDir, path)))) problems.push(`${path}: is neither UTF-8 text nor a picture, font, sound, film or PDF`);
  }
  if (problems.length > 0) throw refused('IsolationViolated', 'The app has a file that an app may not have', problems);
}

/** A NUL is UTF-8 too, and no text. */
function isPlainText(bytes: Buffer): boolean {
  return !bytes.includes(0) && isUtf8(bytes);
}
