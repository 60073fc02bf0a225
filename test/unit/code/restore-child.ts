/** A process of its own for `killed.test.ts`: one restoreVersion, announced on stdout before it begins. */
import type { CodeDeps } from '../../../activities/code/code-deps.ts';
import { createCodeActivities } from '../../../activities/code/create-code-activities.ts';
import { moment, operation } from './code-world.ts';

const [projectsDir = '', number = '', commit = '', tree = ''] = process.argv.slice(2);
const refuse = (): never => { throw new Error('not used'); };
const deps: CodeDeps = {
  projectsDir,
  producer: { produce: refuse, check: refuse },
  records: { featuresOf: refuse, declaredAfter: refuse },
  ensureDeps: refuse,
  operationTime: async (id) => await Promise.resolve(new Date(1_700_000_000_000 + Number(id.slice(3)) * 1000)),
};
process.stdout.write('begin\n');
const point = await createCodeActivities(deps).restoreVersion(moment(operation(Number(number)), { commit, tree } as Parameters<typeof moment>[1]));
process.stdout.write(`${point.commit}\n`);
