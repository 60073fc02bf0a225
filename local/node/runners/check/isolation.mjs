/**
 * No reference of an app may lead out of its own tree and its dependencies. Finding references is the
 * parsers' work and resolving them the bundler's own resolver's; what it finds is compared by real path,
 * so that relative paths, aliases, absolute paths, symlinks and workspace names all end here.
 */
import { lstatSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { configReferences } from './config-references.mjs';
import { codeReferences, cssReferences, htmlReferences } from './references.mjs';

const CODE = /\.[cm]?[jt]sx?$/;
const MAX_FILES = 5_000;
const MAX_BYTES = 2_000_000;

export async function checkIsolation(subject, vite) {
  const errors = [];
  const files = listFiles(subject, errors);
  const config = await vite.resolveConfig({ configFile: false, root: subject.dir, envDir: false, logLevel: 'silent', css: { postcss: { plugins: [] } } }, 'build', 'production');
  const environment = new vite.BuildEnvironment('client', config);
  await environment.init();
  const resolveId = vite.createIdResolver(config);

  for (const file of files) {
    for (const reference of await referencesOf(file, subject, vite)) {
      const reason = await leaves(reference, file, { subject, environment, resolveId });
      if (reason) errors.push({ kind: 'isolation', file: subject.name(file), line: reference.line, message: reason });
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
      else if (files.push(path) > MAX_FILES) throw new Error(`The app has more than ${MAX_FILES} files.`);
    }
  };
  visit(subject.dir);
  return files;
}

async function referencesOf(file, subject, vite) {
  const isText = CODE.test(file) || /\.(css|html|json)$/.test(file);
  if (!isText) return [];
  if (lstatSync(file).size > MAX_BYTES) throw new Error(`${subject.name(file)} is larger than ${MAX_BYTES} bytes.`);
  const text = readFileSync(file, 'utf8');
  if (CODE.test(file)) return codeReferences(file, text, vite);
  if (file.endsWith('.css')) return await cssReferences(file, text, subject.deps);
  if (file.endsWith('.html')) return htmlReferences(file, text, vite);
  return configReferences(file, text);
}

/** Why a reference is refused, or undefined. */
async function leaves(reference, file, { subject, environment, resolveId }) {
  const { specifier, how } = reference;
  if (how === 'computed') return 'the path of this import is computed: it cannot be checked, so it is not allowed';
  const plain = specifier.replace(/[?#].*$/, '');
  if (/^(?:https?:|data:|mailto:|\/\/|virtual:)/i.test(specifier) || plain === '') return undefined;
  if (/^file:/i.test(specifier)) return `${quote(specifier)} is an absolute file`;
  if (how === 'path' || how === 'pattern') {
    // A pattern is judged by the directory it starts from; a plain path by where it ends.
    const fixed = how === 'pattern' ? plain.replace(/^!/, '').replace(/[^/]*[*{?[(].*$/, '') : plain;
    return isOutside(fixed, file, subject, reference.fromRoot) ? `${quote(specifier)} is outside the app's own tree` : undefined;
  }
  if (isBuiltin(plain)) return undefined;
  const found = await resolveId(environment, specifier, file).catch(() => undefined);
  const target = found && !found.startsWith('\0') && !found.startsWith('__vite') ? realOf(found.replace(/[?#].*$/, '')) : undefined;
  if (target) return subject.inside(target) ? undefined : `${quote(specifier)} resolves to ${subject.name(target)}, outside the app's own tree`;
  if (plain.startsWith('.') || plain.startsWith('/')) {
    return isOutside(plain, file, subject, false) ? `${quote(specifier)} points outside the app's own tree` : undefined;
  }
  return found ? undefined : `${quote(specifier)} is neither in the app's own tree nor one of its dependencies`;
}

function isOutside(path, file, subject, fromRoot) {
  const joined = path.startsWith('/') && fromRoot !== false ? join(subject.dir, path) : resolve(dirname(file), path);
  if (!subject.inside(joined)) return true;
  const real = realOf(joined);
  return real !== undefined && !subject.inside(real);
}

function realOf(path) {
  try {
    return realpathSync(path);
  } catch (error) {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR' || error.code === 'ELOOP') return undefined;
    throw error;
  }
}

const quote = (specifier) => JSON.stringify(specifier.slice(0, 120));
