/** The app that a check looks at: its directory, its dependencies, and what counts as inside of both. */
import { lstatSync, realpathSync } from 'node:fs';
import { join, relative } from 'node:path';

export function openApp(tree, app) {
  const dir = join(tree, app);
  if (lstatSync(dir).isSymbolicLink()) throw new Error(`${app} is a symbolic link, not an app's directory.`);
  const deps = realpathSync(join(dir, 'node_modules'));
  // What lies in the tree was written by its producer: the bundler must not be taken from there.
  if (isWithin(deps, tree)) throw new Error(`The dependencies of ${app} lie in the tree itself.`);
  const inside = (path) => isWithin(path, dir) || isWithin(path, deps);
  return { tree, dir, deps, inside, name: (path) => relative(tree, path) };
}

/** On path components: `apps/blog-2` is not within `apps/blog`. */
function isWithin(path, dir) {
  return path === dir || path.startsWith(`${dir}/`);
}
