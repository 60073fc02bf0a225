/**
 * Image → local runner. An image without one fails like an image that cannot be pulled: there is
 * no default runner (I4).
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Layout } from '../paths.ts';
import type { Platform } from '../platform.ts';
import type { UidRole } from '../uids.ts';
import { StartFailure } from './start-failure.ts';
import type { Container } from './kube-types.ts';

/** Decides what a process may reach: `pod-reach.ts`. */
export type RunnerKind = 'app' | 'compute' | 'directus' | 'process';

export interface Runner {
  readonly kind: RunnerKind;
  readonly role: UidRole;
  /** The command line; may first fetch an engine, telling how far it is. */
  argv(container: Container, progress: (message: string) => void): Promise<{ argv: string[]; env: Record<string, string> }>;
}

interface RunnersInput {
  readonly layout: Layout;
  readonly platform: () => Platform;
  /** Answers the directory of the installed Directus, installing it first where it is absent. */
  obtainDirectus(progress: (message: string) => void): Promise<string>;
}

export type FindRunner = (image: string) => Runner | undefined;

export function createRunners({ layout, platform, obtainDirectus }: RunnersInput): FindRunner {
  const script = (name: string) => async (container: Container) => ({
    argv: [platform().engines.node, entryOf(join(layout.runners, name)), ...(container.args ?? [])],
    env: {},
  });
  const table: Readonly<Record<string, Runner>> = {
    'adorable.dev/app:1': { kind: 'app', role: 'app', argv: script('app') },
    'adorable.dev/compute:17': { kind: 'compute', role: 'compute', argv: script('compute') },
    'directus/directus:11.17.4': {
      kind: 'directus',
      role: 'service',
      argv: async (container, progress) => {
        const directory = await obtainDirectus(progress);
        const { argv } = await script('directus')(container);
        return { argv, env: { ENGINE_DIRECTUS: directory } };
      },
    },
    'adorable.dev/process:1': {
      kind: 'process',
      role: 'app',
      argv: (container) => {
        if (!container.command?.length) {
          throw new StartFailure('CreateContainerConfigError', 'adorable.dev/process:1 has no program of its own: set the container\'s command.');
        }
        return Promise.resolve({ argv: [...container.command, ...(container.args ?? [])], env: {} });
      },
    },
  };
  return (image) => (Object.hasOwn(table, image) ? table[image] : undefined);
}

/** `runners/<name>/main.*` or `runners/<name>.*`, whichever its author chose. */
function entryOf(base: string): string {
  const candidates = ['mjs', 'ts', 'js'].flatMap((extension) => [join(base, `main.${extension}`), `${base}.${extension}`]);
  const found = candidates.find((file) => existsSync(file));
  if (!found) throw new StartFailure('ErrImagePull', `The runner ${base} is not installed: run \`adorable up\` again.`);
  return found;
}
