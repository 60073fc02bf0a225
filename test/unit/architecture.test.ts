/**
 * The rules that the tree itself must keep: which folder may import which, one adapter per client
 * library, a contract for every workflow, a documented line for every failure type. An exception
 * stands here with its reason, or it does not stand.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { FAILURES } from '../../shared/errors.ts';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const tracked = execFileSync('git', ['-c', 'safe.directory=*', '-C', root, 'ls-files', '-z'], { encoding: 'utf8' })
  .split('\0').filter((path) => path !== '' && existsSync(join(root, path)));
const sources = tracked.filter((path) => /\.(ts|mjs)$/.test(path));

/** Folder → folders it may import. Blueprints are programs of their own and import nothing of ours. */
const ARROWS: Readonly<Record<string, readonly string[]>> = {
  shared: ['shared'],
  workflows: ['workflows', 'shared'],
  activities: ['activities', 'shared'],
  local: ['local', 'shared'],
  workers: ['workers', 'activities', 'local', 'shared'],
  client: ['client', 'activities', 'local', 'shared'],
  cli: ['cli', 'client', 'local', 'shared'],
  bin: ['bin'],
  // Measures the product and what it is made of; nothing imports it.
  bench: ['bench', 'cli', 'client', 'workers', 'workflows', 'activities', 'local', 'shared'],
};

/** Single files that may be imported across an arrow, and why. */
const CROSSINGS: Readonly<Record<string, string>> = {
  'activities → local/log.ts': 'the one JSON log line, the same in every process',
  'activities → local/kube-client.ts': 'the one adapter of the Kubernetes client, shared with the embedded parts',
  'activities → local/kube/fence-policy.ts': 'the name of the policy, by which a refusal is known to be a stale fence',
  'activities → local/node/runners/compute/assert-roles.ts': 'the same role statements at the compute\'s start and while it runs',
  'workers → client/temporal.ts': 'the one gate to Temporal: composed into the activity that ends the back-off of a run',
};

/** Where a package may be imported: a folder ends in `/`. Whatever is not listed may be imported nowhere. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  // One adapter: kubeconfig, watches and error mapping in one place.
  '@kubernetes/client-node': ['local/kube-client.ts'],
  // One adapter per database, since each is another server with other logins and another error mapping;
  // the story reads the world by itself, so that it cannot echo an activity.
  pg: [
    'activities/records/platform-database.ts', 'activities/data/adapters/postgres.ts', 'local/postgres/cluster.ts',
    'local/timeline/inspect.ts', 'cli/story/world.ts',
  ],
  // Started by `git-process.ts`, which is what the others ask.
  'simple-git': ['activities/code/adapters/git-process-main.ts'],
  // The parser of the code index.
  typescript: ['activities/context/adapters/typescript.ts'],
  'http-proxy-3': ['local/gateway/gateway-server.ts'],
  // The schedule of the sweep is the worker's, since a platform may have no other part of ours.
  '@temporalio/client': ['client/temporal.ts', 'workers/sweep-schedule.ts', 'bench/workflow/', 'bench/generation/many-apps.ts'],
  // The worker process and the wrapper of its activities.
  '@temporalio/worker': ['workers/', 'bench/workflow/'],
  '@temporalio/activity': ['workers/', 'bench/workflow/'],
  // The only library in the sandbox.
  '@temporalio/workflow': ['workflows/', 'bench/workflow/bare-workflow.ts'],
  // Failure classes and search attribute keys, the same on both sides of the wire.
  '@temporalio/common': ['workflows/', 'workers/', 'client/temporal.ts', 'bench/workflow/'],
  // The model: one adapter, where its errors lose what may quote a key.
  ai: ['activities/model/adapters/ai.ts'],
  '@ai-sdk/openai-compatible': ['activities/model/adapters/ai.ts'],
  commander: ['cli/'],
  // Pure parsing of service.json and of a plan document; no I/O.
  zod: ['shared/services/catalog.ts', 'shared/architect/parse-plan.ts'],
};

/** Files of shared/ that use a pure function of Node; the sandbox must not reach them. */
const PURE_NODE: Readonly<Record<string, string>> = {
  'shared/manifests/digest.ts': 'SHA-256 of rendered objects: a pure function, used by activities only',
};

/** A skip that depends on who runs the tests, never on whether they pass. */
const CONDITIONAL_SKIPS: Readonly<Record<string, string>> = {
  'test/unit/supervisor/data-directory.test.ts': 'only root has directories that other users cannot enter',
};

function importsOf(path: string): string[] {
  const text = read(path);
  const statics = [...text.matchAll(/^(?:import|export)\s[^'"`;]*?\bfrom\s+'([^']+)'/gm), ...text.matchAll(/^import\s+'([^']+)'/gm)];
  const dynamics = text.split('\n').filter((line) => !/^\s*(\*|\/\/|\/\*)/.test(line)).flatMap((line) => [...line.matchAll(/\bimport\(\s*'([^'$]+)'\s*\)/g)]);
  return [...statics, ...dynamics].map((match) => match[1] ?? '');
}

const folderOf = (path: string): string => path.split('/')[0] ?? '';
const isRelative = (specifier: string): boolean => specifier.startsWith('.');
const targetOf = (path: string, specifier: string): string => posix.normalize(posix.join(posix.dirname(path), specifier));
const packageOf = (specifier: string): string => specifier.split('/').slice(0, specifier.startsWith('@') ? 2 : 1).join('/');
const product = sources.filter((path) => folderOf(path) in ARROWS);

describe('arrows', () => {
  test('a folder imports only the folders below it', () => {
    const wrong = product.flatMap((path) => importsOf(path).filter(isRelative).map((specifier) => targetOf(path, specifier))
      .filter((target) => !ARROWS[folderOf(path)]?.includes(folderOf(target)) && CROSSINGS[`${folderOf(path)} → ${target}`] === undefined)
      .map((target) => `${path} → ${target}`));
    expect(wrong).toEqual([]);
  });

  test('every import that is not a package leads to a file of the repository', () => {
    const wrong = product.flatMap((path) => importsOf(path).filter(isRelative).map((specifier) => targetOf(path, specifier))
      .filter((target) => target.startsWith('..') || !existsSync(join(root, target))).map((target) => `${path} → ${target}`));
    expect(wrong).toEqual([]);
  });

  test('what the workflow sandbox loads uses nothing of Node; nor does shared/', () => {
    const reached = new Set<string>();
    const visit = (path: string): void => {
      if (reached.has(path)) return;
      reached.add(path);
      for (const specifier of importsOf(path).filter(isRelative)) visit(targetOf(path, specifier));
    };
    visit('workflows/index.ts');
    const all = [...reached, ...product.filter((path) => path.startsWith('shared/') && PURE_NODE[path] === undefined)];
    const wrong = [...new Set(all)].flatMap((path) => importsOf(path).filter((specifier) => specifier.startsWith('node:')).map((specifier) => `${path} → ${specifier}`));
    expect(wrong).toEqual([]);
  });

  test('a package is imported only where it is listed', () => {
    const wrong = product.flatMap((path) => importsOf(path).filter((specifier) => !isRelative(specifier) && !specifier.startsWith('node:')).map(packageOf)
      .filter((name) => !PACKAGES[name]?.some((place) => (place.endsWith('/') ? path.startsWith(place) : path === place)))
      .map((name) => `${path} → ${name}`));
    expect(wrong).toEqual([]);
  });

  test('the product does not import its tests', () => {
    const wrong = sources.filter((path) => folderOf(path) !== 'test')
      .flatMap((path) => importsOf(path).filter((specifier) => isRelative(specifier) && folderOf(targetOf(path, specifier)) === 'test').map((specifier) => `${path} → ${specifier}`));
    expect(wrong).toEqual([]);
  });
});

describe('contracts', () => {
  const exported = [...read('workflows/index.ts').matchAll(/^export \{ (\w+) \} from '\.\/([\w-]+)\.ts';$/gm)].map((match) => ({ name: match[1] ?? '', file: match[2] ?? '' }));
  const contracts = readdirSync(join(root, 'shared', 'contract')).map((file) => read(`shared/contract/${file}`)).join('\n');
  const constants = new Map([...contracts.matchAll(/^export const ([A-Z_]+) = '(\w+)';$/gm)].map((match) => [match[2] ?? '', match[1] ?? '']));
  const parents = sources.filter((path) => path.startsWith('workflows/')).map(read).join('\n');

  test('every registered workflow has its name in shared/contract; a child has its request there instead', () => {
    expect(exported.length).toBeGreaterThan(5);
    const wrong = exported.filter(({ name }) => {
      const constant = name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
      // A child is started by its function, never by its name; its input is a contract all the same.
      const isChild = new RegExp(`executeChild\\(${name},`).test(parents) && contracts.includes(`export interface ${name[0]?.toUpperCase() ?? ''}${name.slice(1)}Request`);
      return constants.get(name) !== constant && !isChild;
    });
    expect(wrong).toEqual([]);
  });

  test('a workflow lives in the file of its name', () => {
    expect(exported.map(({ name }) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`))).toEqual(exported.map(({ file }) => file));
  });
});

test('one door: a single place starts `generateProject`, and every way to it is a call of that place (I5)', () => {
  const starters = product.filter((path) => !path.startsWith('shared/contract/') && /\bGENERATE_PROJECT\b|['"]generateProject['"]/.test(read(path)));
  expect(starters).toEqual(['client/runtime.ts']);
  expect(read('client/runtime.ts').match(/start\(GENERATE_PROJECT,/g)).toHaveLength(1);
});

describe('documents', () => {
  test('docs/errors.md lists exactly the types of shared/errors.ts, with their retry and exit code', () => {
    const rows = [...read('docs/errors.md').matchAll(/^\| `(\w+)` \| (yes|no) \| (\d) \|/gm)].map((match) => [match[1], { retry: match[2] === 'yes', exit: Number(match[3]) }]);
    expect(new Set(rows.map(([type]) => type)).size).toBe(rows.length);
    expect(Object.fromEntries(rows)).toEqual(FAILURES);
  });

  test('every relative link and every path in the folder map leads somewhere', () => {
    const documents = tracked.filter((path) => path.endsWith('.md') && !path.startsWith('blueprints/'));
    const links = documents.flatMap((path) => [...read(path).matchAll(/\]\((?!https?:|#)([^)#\s]+)(?:#[^)]*)?\)/g)].map((match) => ({ path, target: posix.join(posix.dirname(path), match[1] ?? '') })));
    expect(links.filter(({ target }) => !existsSync(join(root, target)))).toEqual([]);
    const map = [...read('ARCHITECTURE.md').matchAll(/`((?:shared|workflows|activities|workers|client|cli|local|test|migrations|config|bin|bench)\/[\w./-]*)`/g)].map((match) => match[1] ?? '');
    expect(map.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });
});

describe('size and honesty', () => {
  test('no source file is longer than 400 lines', () => {
    expect(sources.filter((path) => read(path).split('\n').length > 401)).toEqual([]);
  });

  test('no test is skipped, singled out or promised', () => {
    const wrong = sources.filter((path) => path.endsWith('.test.ts') && CONDITIONAL_SKIPS[path] === undefined)
      .filter((path) => /\.(?:skip|only|todo)\b\s*[.()]|\b(?:xit|xtest|xdescribe|fit|fdescribe)\(/.test(read(path)));
    expect(wrong).toEqual([]);
  });
});
