/**
 * The producer by model: a bounded conversation that writes one feature into a copy of its app, which
 * takes the app's place only when the conversation has ended well. Whatever fails leaves what was there.
 */
import { existsSync } from 'node:fs';
import { cp, mkdir, realpath, rename, rm } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { AdorableError } from '../../shared/errors.ts';
import type { OperationId } from '../../shared/ids.ts';
import type { ProduceRequest } from '../code/code-deps.ts';
import { refuseContent } from '../code/app-content.ts';
import { refuseEscapes } from '../code/app-tree.ts';
import { readTemplate } from '../producer/blueprints.ts';
import { writeTemplate } from '../producer/write-template.ts';
import { createAppTools } from './app-tools.ts';
import { answerWithin } from './budget.ts';
import type { Budget } from './budget.ts';
import { MalformedAnswer } from './model.ts';
import type { Model, Said, Spent } from './model.ts';
import { instructions, request } from './prompts.ts';
import type { Limits } from './settings.ts';

const MAX_ANSWERS = 60;
const TRIES = 3;
/** What every app of a kind is made of, from the blueprint that has it: packages and their checksums above all. */
const KITS = {
  react: { blueprint: 'portfolio', files: ['index.html', 'package.json', 'package-lock.json', 'tsconfig.json', 'src/main.tsx', 'src/app-name.ts'] },
  fullstack: { blueprint: 'task-board', files: ['index.html', 'package.json', 'package-lock.json', 'tsconfig.json', 'src/main.tsx', 'src/app-name.ts', 'server/trpc.ts', 'server/db.ts'] },
} as const;

export interface ModelProgress {
  readonly feature: string;
  readonly answer: number;
  readonly doing: string;
  readonly tokens: number;
}

export interface ModelProducerDeps {
  readonly model: Model;
  /** What one operation may spend. */
  readonly limits: Limits;
  readonly blueprintsDir: string;
  /** Throws where what nobody has read may not run. */
  requireContained(): void;
  spend(operationId: OperationId, more: Spent): Promise<Spent>;
  /** Type-checks and builds `<dir>/apps/<slug>`; throws what is wrong. */
  check(dir: string, slug: string): Promise<void>;
  onProgress?(progress: ModelProgress): void;
  signal?(): AbortSignal;
}

export type ModelProducer = (request: ProduceRequest) => Promise<{ files: number }>;

export function createModelProducer(deps: ModelProducerDeps): ModelProducer {
  return async (request) => {
    deps.requireContained();
    const app = await realpath(request.intoDir);
    if (!app.endsWith(`${sep}apps${sep}${request.appSlug}`)) throw new AdorableError('IsolationViolated', `The directory of ${request.appSlug} is not apps/${request.appSlug}: nothing was written.`);
    const stage = `${dirname(dirname(app))}.model`;
    const staged = join(stage, 'apps', request.appSlug);
    try {
      for (let attempt = 1; ; attempt++) {
        await restage(app, staged, stage);
        try {
          const files = await converse(deps, request, stage);
          await rm(app, { recursive: true, force: true });
          await rename(staged, app);
          return { files };
        } catch (error) {
          if (!(error instanceof MalformedAnswer)) throw error;
          if (attempt === TRIES) throw new AdorableError('BuildFailed', `The model did not build ${request.feature.id} in ${String(TRIES)} tries: ${error.message}. Try again, or choose another model.`, { details: { feature: request.feature.id } });
        }
      }
    } finally {
      await rm(stage, { recursive: true, force: true });
    }
  };
}

/** The checking user comes in, as it does into a scratch worktree. */
async function restage(app: string, staged: string, stage: string): Promise<void> {
  await rm(stage, { recursive: true, force: true });
  await mkdir(dirname(staged), { recursive: true, mode: 0o755 });
  await cp(app, staged, { recursive: true, verbatimSymlinks: true });
}

async function converse(deps: ModelProducerDeps, given: ProduceRequest, stage: string): Promise<number> {
  const { feature, appSlug, appName, appKind, context } = given;
  const appDir = join(stage, 'apps', appSlug);
  if (!existsSync(join(appDir, 'package.json'))) {
    const { blueprint, files } = KITS[appKind];
    await writeTemplate(appDir, (await readTemplate(deps.blueprintsDir, blueprint)).filter(({ path }) => files.some((file) => file === path)), appName);
  }
  const budget: Budget = { limits: deps.limits, spend: async (more) => await deps.spend(given.operationId, more) };
  let doing = 'thinks';
  let answers = 0;
  let tokens = 0;
  const report = (): void => { deps.onProgress?.({ feature: feature.id, answer: answers, doing, tokens }); };
  const { tools, touched } = createAppTools({
    appDir, slug: appSlug, context,
    check: async () => await checkStage(deps, stage, appSlug),
    onCall: (tool, path) => { doing = path === undefined ? tool : `${tool} ${path}`; report(); },
  });
  const cancelled = deps.signal?.();
  const signal = AbortSignal.any([cancelled, given.inTime].filter((one) => one !== undefined));
  let said: Said = deps.model.ask(request(given));
  for (;;) {
    if (++answers > MAX_ANSWERS) throw new AdorableError('BuildFailed', `The model did not finish ${feature.id} in ${String(MAX_ANSWERS)} answers: ask for less at once.`, { details: { feature: feature.id } });
    report();
    const answer = await answerWithin(deps.model, budget, { system: instructions(given), said, tools, signal, onPart: report }).catch((error: unknown) => {
      throw given.inTime?.aborted === true && cancelled?.aborted !== true
        ? new AdorableError('BuildFailed', `The model did not finish ${feature.id} in the time that one app has: ask for less at once.`, { details: { feature: feature.id } })
        : error;
    });
    said = answer.said;
    tokens += answer.spent.tokens;
    doing = 'thinks';
    if (!answer.continues) break;
  }
  if (touched.size === 0) throw new MalformedAnswer('it ended without writing a file');
  await refuseContent(appDir, [...touched]);
  return await refuseEscapes(appDir);
}

/** What is wrong with the app is the model's to mend; what is wrong with us is not. */
async function checkStage(deps: ModelProducerDeps, stage: string, slug: string): Promise<string | undefined> {
  try {
    await deps.check(stage, slug);
    return undefined;
  } catch (error) {
    if (!(error instanceof AdorableError) || !['BuildFailed', 'IsolationViolated'].includes(error.type)) throw error;
    const { errors } = error.details as { errors?: readonly { file?: string; line?: number; message?: string }[] };
    const lines = (errors ?? []).flatMap(({ file, line, message }) => (message === undefined ? [] : [`${file ?? ''}:${String(line ?? 0)}: ${message}`]));
    return [error.message, ...lines].join('\n');
  } finally {
    await rm(join(stage, 'apps', slug, 'node_modules'), { recursive: true, force: true });
  }
}
