/**
 * No reference of an app may lead out of its own tree and its dependencies. Finding references is the
 * parsers' work and resolving them the bundler's own resolver's; what it finds is compared by real path,
 * so that relative paths, aliases, absolute paths, symlinks and workspace names all end here.
 */
import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { codeReferences } from './code-references.mjs';
import { configReferences } from './config-references.mjs';
import { cssReferences } from './css-references.mjs';
import { htmlReferences } from './html-references.mjs';
import { createJudge, realOf } from './judge.mjs';

const CODE = /\.[cm]?[jt]sx?$/;
/** They import and inline other files by rules of their own, which nobody here reads. */
const PREPROCESSED = /\.(?:s[ac]ss|less|styl|stylus|pcss|postcss|sss|vue|svelte|astro|mdx)$/i;
const MAX_FILES = 5_000;
const MAX_BYTES = 2_000_000;

export async function checkIsolation(subject, vite) {
  const errors = [];
  const files = listFiles(subject, errors);
  const judge = await createJudge(subject, vite);
  for (const file of files) {
    const lines = new Set();
    const refuse = (message, line = 1, kind = 'isolation') => {
      // Several readings of one line say the same.
      if (!lines.has(line)) errors.push({ kind, file: subject.name(file), line, message });
      lines.add(line);
    };
    let references = [];
    try {
      references = referencesOf(file, subject, vite);
    } catch (error) {
      // Whatever a parser cannot read, nobody has checked.
      refuse(`this file cannot be checked: it ${String(error.message).split(subject.tree).join('').slice(0, 300)}`, error.line, 'build');
    }
    for (const reference of references.sort((a, b) => a.line - b.line)) {
      const reason = await judge(reference, file);
      if (reason) refuse(reason, reference.line);
    }
  }
  return errors;
}

function listFiles(subject, errors) {
  const files = [];
  const visit = (dir) => {
    for (const entry of readdirSync(dir, { withFileTypes: true })) {
      const path = join(dir, entry.name);
      if (dir === subject.dir && entry.name === 'node_modules') continue;
      const refuse = (message) => errors.push({ kind: 'isolation', file: subject.name(path), line: 1, message });
      if (entry.isSymbolicLink()) {
        const target = realOf(path);
        if (!target || !subject.inside(target)) refuse(`the symbolic link leads out of the app's tree`);
      } else if (entry.isDirectory()) visit(path);
      else if (!entry.isFile()) refuse('only files and directories belong in an app');
      else if (files.length < MAX_FILES) files.push(path);
      else if (files.length === MAX_FILES) {
        refuse(`the app has more than ${MAX_FILES} files`);
        return;
      }
    }
  };
  visit(subject.dir);
  return files;
}

function referencesOf(file, { dir }, vite) {
  if (PREPROCESSED.test(file)) throw new Error('needs a preprocessor: write CSS and TypeScript');
  const isText = CODE.test(file) || /\.(?:css|html?|xhtml|svg|json)$/i.test(file);
  if (!isText) return [];
  if (lstatSync(file).size > MAX_BYTES) throw new Error(`is larger than ${MAX_BYTES} bytes`);
  const text = readFileSync(file, 'utf8');
  if (CODE.test(file)) return codeReferences({ file, text, vite, dir });
  if (/\.css$/i.test(file)) return cssReferences(text);
  if (/\.json$/i.test(file)) return configReferences(file, text);
  return htmlReferences(text, (code, firstLine) => codeReferences({ file: `${file}.ts`, text: code, vite, dir, firstLine }));
}
