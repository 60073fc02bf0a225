/**
 * A process of its own for `killed.test.ts`: one restoreVersion, announced on stdout before it begins.
 * With a fifth argument it holds the lock, says so, and waits until that file exists.
 */
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CodeDeps } from '../../../activities/code/code-deps.ts';
import { createCodeActivities } from '../../../activities/code/create-code-activities.ts';
import { moment, operation } from './code-world.ts';

const [projectsDir = '', number = '', commit = '', tree = '', gate] = process.argv.slice(2);
const refuse = (): never => { throw new Error('not used'); };
const deps: CodeDeps = {
  projectsDir,
  produceAttempts: 1,
  producer: { canMend: () => false, produce: refuse, check: refuse },
  records: { featuresOf: refuse, declaredAfter: refuse },
  ensureDeps: refuse,
  operationTime: async (id) => {
    if (gate !== undefined) process.stdout.write('locked\n');
    while (gate !== undefined && !existsSync(gate)) await sleep(20);
    return new Date(1_700_000_000_000 + Number(id.slice(3)) * 1000);
  },
};
process.stdout.write('begin\n');
const restored = createCodeActivities(deps).restoreVersion(moment(operation(Number(number)), { commit, tree } as Parameters<typeof moment>[1]));
process.stdout.write(await restored.then((point) => `${point.commit}\n`, (error: unknown) => `${(error as { type: string }).type}\n`));
