/** The code store as activities: git history, worktree and served trees of every project. */
import { adoptResult } from './adopt-result.ts';
import { commitDirty } from './commit-dirty.ts';
import type { CodeDeps, CodeStore } from './code-deps.ts';
import { composeCommit } from './compose-commit.ts';
import { deleteRepository, dropRun } from './drop-run.ts';
import { ensureRepository } from './ensure-repository.ts';
import { readPlanSpec, readSpecAt, writePlanSpec } from './plan-spec.ts';
import { checkApp, produceApp, scaffoldApp } from './produce-app.ts';
import { commitsBetween, diffTrees, readCode } from './read-code.ts';
import { restoreVersion } from './restore-version.ts';
import { serveApps } from './serve-apps.ts';

export function createCodeActivities(deps: CodeDeps): CodeStore {
  return {
    ensureRepository: (input) => ensureRepository(deps, input),
    commitDirty: (input) => commitDirty(deps, input),
    scaffoldApp: (input) => scaffoldApp(deps, input),
    produceApp: (input) => produceApp(deps, input),
    checkApp: (input) => checkApp(deps, input),
    adoptResult: (input) => adoptResult(deps, input),
    composeCommit: (input) => composeCommit(deps, input),
    restoreVersion: (input) => restoreVersion(deps, input),
    dropRun: (input) => dropRun(deps, input),
    readCode: (input) => readCode(deps, input),
    deleteRepository: (input) => deleteRepository(deps, input),
    serveApps: (input) => serveApps(deps, input),
    writePlanSpec: (input) => writePlanSpec(deps, input),
    readPlanSpec: (input) => readPlanSpec(deps, input),
    readSpecAt: (input) => readSpecAt(deps, input),
    diffTrees: (input) => diffTrees(deps, input),
    commitsBetween: (input) => commitsBetween(deps, input),
  };
}
