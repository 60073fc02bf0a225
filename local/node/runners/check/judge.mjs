/** Whether one reference stays inside: by the bundler's resolver where it resolves, by the path itself where it does not. */
import { realpathSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, extname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What a bundler makes of a file with any other ending is code that nobody has read. */
const IMPORTABLE = /\.(?:[cm]?[jt]sx?|css|json|svg|png|jpe?g|gif|webp|avif|ico|woff2?|ttf|otf|mp3|ogg|wav|mp4|webm|pdf)$/i;
const AS_TEXT = /[?&](?:raw|url|inline|no-inline)(?:[&=]|$)/;

/** Answers why a reference is refused, or undefined. */
export async function createJudge(subject, vite) {
  const config = await vite.resolveConfig({ configFile: false, root: subject.dir, envDir: false, logLevel: 'silent', css: { postcss: { plugins: [] } }, environments: { ssr: {} } }, 'build', 'production');
  const resolveId = vite.createIdResolver(config);
  // Server code is resolved under other conditions than a page's.
  const environments = [new vite.BuildEnvironment('client', config), new vite.BuildEnvironment('ssr', config)];
  for (const environment of environments) await environment.init();

  return async (reference, file) => {
    switch (reference.how) {
      case 'refused':
        return reference.reason;
      case 'file':
        return judgeFile(reference);
      case 'module':
        return await judgeModule(reference, file);
      case 'style':
        // Beside the sheet first, then among the packages; from the web a sheet may come.
        return isAddress(reference.specifier) || /^[./\\%]/.test(reference.specifier) || realOf(resolve(dirname(file), reference.specifier)) ? judgePath(reference, file) : await judgeModule(reference, file);
      default:
        return judgePath(reference, file);
    }
  };

  /** What Node opens: absolute, an address of a file, or relative to where it runs. */
  function judgeFile({ specifier }) {
    let path = specifier;
    if (/^file:/i.test(specifier)) {
      try {
        path = fileURLToPath(specifier);
      } catch {
        return `${quote(specifier)} is no file of the app`;
      }
    }
    return leaves(resolve(subject.dir, path)) ? `${quote(display(specifier))} is a file outside the app's own tree` : undefined;
  }

  function judgePath({ specifier, how, fromRoot, isText }, file) {
    if (isText && !spellings(specifier).some((path) => /(?:^|\/)\.\.(?:\/|$)/.test(path))) return undefined;
    if (/^\s*file:/i.test(specifier)) return `${quote(specifier)} is an absolute file`;
    if (isAddress(specifier) && how === 'script' && !/^\s*data:/i.test(specifier)) return `${quote(specifier)} is a script from elsewhere: take a package of the registry`;
    if (isAddress(specifier)) return undefined;
    for (const path of spellings(specifier)) {
      if (/^\/@(?:fs|id|vite)\//.test(path)) return `${quote(specifier)} is an address of the bundler's own`;
      // A pattern is judged by the directory it starts from, and may not climb on its way.
      const magic = how === 'pattern' ? path.search(/[^/]*[*?{}[\]()!+@]/) : -1;
      const fixed = magic === -1 ? path : path.slice(0, magic);
      if (magic !== -1 && path.slice(magic).includes('..')) return `${quote(specifier)} climbs in the middle of a pattern`;
      if (leaves(place(fixed, file, fromRoot))) return `${quote(specifier)} is outside the app's own tree`;
    }
    return undefined;
  }

  async function judgeModule({ specifier }, file) {
    const plain = specifier.replace(/(?<=.)[?#].*$/s, '');
    if (specifier.includes('\0') || plain === '') return `${quote(specifier)} is not a module's name`;
    if (isBuiltin(plain)) return undefined;
    if (isAddress(specifier)) return `${quote(specifier)} is code from elsewhere: take a package of the registry`;
    let wasFound = false;
    let isInside = false;
    for (const environment of environments) {
      const found = await resolveId(environment, specifier, file).catch(() => undefined);
      wasFound ||= Boolean(found);
      const target = found && !found.startsWith('\0') && !found.startsWith('__vite') ? realOf(found.replace(/[?#].*$/, '')) : undefined;
      if (!target) continue;
      if (!subject.inside(target)) return `${quote(specifier)} resolves to ${subject.name(target)}, outside the app's own tree`;
      if (isOwn(target) && !IMPORTABLE.test(target) && !AS_TEXT.test(specifier)) return `${quote(specifier)} is imported as code, but ${extname(target) || 'a file without an ending'} is not checked as code`;
      isInside = true;
    }
    if (isInside) return undefined;
    if (/^[./\\]/.test(plain)) {
      return spellings(plain).some((path) => leaves(place(path, file, false))) ? `${quote(specifier)} points outside the app's own tree` : undefined;
    }
    return wasFound ? undefined : `${quote(specifier)} is neither in the app's own tree nor one of its dependencies`;
  }

  function place(path, file, fromRoot) {
    return path.startsWith('/') && fromRoot ? join(subject.dir, path) : resolve(dirname(file), path);
  }

  /** By its text, and by what it is where it is there. */
  function leaves(path) {
    if (!subject.inside(path)) return true;
    const real = realOf(path);
    return real !== undefined && !subject.inside(real);
  }

  function isOwn(path) {
    return path.startsWith(`${subject.dir}/`);
  }

  function display(path) {
    return path.split(subject.tree).join('').replace(/^file:\/\//, '');
  }
}

/** With a scheme, or with a host after two slashes. */
function isAddress(specifier) {
  return /^\s*(?:[a-z][a-z\d+.-]+:|[\\/]{2})/i.test(specifier);
}

/** As browsers, bundlers and Node read an address: line breaks dropped, backslashes turned, percents decoded. */
function spellings(specifier) {
  const plain = specifier.replace(/[\t\n\r]/g, '').trim().replace(/[?#].*$/s, '').replaceAll('\\', '/');
  const forms = [plain];
  for (let last = plain, round = 0; round < 3; round++) {
    const next = last.replace(/%([0-7][0-9a-f])/gi, (_, hex) => String.fromCharCode(parseInt(hex, 16))).replaceAll('\\', '/');
    if (next === last) break;
    forms.push(next);
    last = next;
  }
  return forms;
}

export function realOf(path) {
  try {
    return realpathSync(path);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG', 'ERR_INVALID_ARG_VALUE'].includes(error.code)) return undefined;
    throw error;
  }
}

const quote = (specifier) => JSON.stringify(specifier.slice(0, 120));
