/** A tree with two apps on disk and the isolation check of one of them, in a process that stays. */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createEnsureDeps } from '../../../activities/producer/deps.ts';
import { fillSlot } from '../../../local/engines/slot.ts';
import { cacheDir } from '../../../local/paths.ts';

export const checkout = fileURLToPath(new URL('../../..', import.meta.url));

export interface Finding {
  readonly kind: string;
  readonly file: string;
  readonly line: number;
  readonly message: string;
}

export interface IsolationWorld {
  readonly tree: string;
  /** `apps/blog` */
  readonly app: string;
  /** Writes files below the app, checks it, and takes them away again. */
  check(files: Readonly<Record<string, string>>): Promise<readonly Finding[]>;
  close(): void;
}

/** The blog has `src/a.ts`, `src/lib/b.ts`, `server/c.ts`; its sibling's files have names that the blog lacks. */
export async function openIsolationWorld(): Promise<IsolationWorld> {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'adorable-isolation-')));
  const ensureDeps = createEnsureDeps({
    depsDir: join(root, 'deps'), cacheDir: cacheDir(), prebundler: join(checkout, 'local', 'node', 'runners', 'app', 'prebundle.mjs'),
    fillSlot: async (slot, build) => await fillSlot(slot, () => undefined, build),
  });
  const deps = await ensureDeps(join(checkout, 'blueprints', 'blog', 'template', 'package-lock.json'));
  const tree = join(root, 'tree');
  const put = (path: string, text: string): void => { mkdirSync(dirname(join(tree, path)), { recursive: true }); writeFileSync(join(tree, path), text); };
  put('apps/blog/src/a.ts', 'export const a = 1;\n');
  put('apps/blog/src/lib/b.ts', 'export const b = 1;\n');
  put('apps/blog/server/c.ts', 'export const c = 1;\n');
  put('apps/blog/src/logo.png', '');
  put('apps/personal-finance/src/lib/trpc.tsx', 'export const TRPCProvider = 1;\n');
  put('apps/personal-finance/src/style.css', 'a { color: red; }\n');
  put('apps/personal-finance/a.png', '');
  put('apps/blog-2/x.ts', 'export const x = 1;\n');
  symlinkSync(deps, join(tree, 'apps/blog/node_modules'));
  const child = spawn(process.execPath, [fileURLToPath(new URL('isolation-child.mjs', import.meta.url)), tree, 'apps/blog'], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    tree,
    app: join(tree, 'apps/blog'),
    async check(files) {
      for (const [path, text] of Object.entries(files)) put(`apps/blog/${path}`, text);
      try {
        child.stdin.write('check\n');
        const { value } = await lines.next() as { value: string | undefined };
        if (value === undefined) throw new Error('The check ended.');
        return JSON.parse(value) as Finding[];
      } finally {
        for (const path of Object.keys(files)) rmSync(join(tree, 'apps/blog', path));
      }
    },
    close: () => { child.stdin.end(); child.kill(); rmSync(root, { recursive: true, force: true }); },
  };
}
