/**
 * `sweep`: every project, or one. Each is swept by `sweepProject` under the project's own lock; a
 * busy one is skipped, and no project's failure keeps the next from its turn. A dry run only looks.
 */
import { defineSearchAttributeKey, SearchAttributeType, TypedSearchAttributes, WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { executeChild, ParentClosePolicy, workflowInfo } from '@temporalio/workflow';
import { projectWorkflowId, SEARCH_ATTRIBUTES } from '../shared/contract/operation.ts';
import type { SweepFindings, SweepProjectRequest, SweepReport, SweepRequest, SweptProject } from '../shared/contract/sweep.ts';
import { sweepOperationId } from '../shared/derive.ts';
import type { ProjectId } from '../shared/ids.ts';
import { sweeper } from './activities.ts';
import { toFailure } from './failure.ts';
import { findingsOf, sweepProject } from './sweep-project.ts';

export async function sweep(request: SweepRequest = {}): Promise<SweepReport> {
  const ids = request.projectId === undefined ? await sweeper.listProjects() : [request.projectId];
  const projects: SweptProject[] = [];
  for (const projectId of ids) projects.push(await sweepOne(projectId, request.dryRun === true));
  return { projects };
}

async function sweepOne(projectId: ProjectId, dryRun: boolean): Promise<SweptProject> {
  try {
    if (dryRun) return looked(projectId, await sweeper.planSweep({ projectId }));
    const operationId = sweepOperationId(workflowInfo().runId, projectId);
    const request: SweepProjectRequest = { projectId, operationId };
    return await executeChild(sweepProject, {
      workflowId: projectWorkflowId(projectId), args: [request], staticSummary: `sweepProject ${operationId}`,
      // A sweep that is cut off must not cut an operation off with it.
      parentClosePolicy: ParentClosePolicy.ABANDON,
      typedSearchAttributes: new TypedSearchAttributes([
        { key: key(SEARCH_ATTRIBUTES.projectId), value: projectId },
        { key: key(SEARCH_ATTRIBUTES.operation), value: operationId },
        { key: key(SEARCH_ATTRIBUTES.phase), value: 'sweep' },
      ]),
    });
  } catch (error) {
    const nothing = { projectId, ...findingsOf(undefined) };
    if (error instanceof WorkflowExecutionAlreadyStartedError) return { ...nothing, state: 'busy' };
    const { type, message } = toFailure(error);
    return { ...nothing, state: 'failed', message: `${type}: ${message}` };
  }
}

function looked(projectId: ProjectId, findings: SweepFindings): SweptProject {
  const { forks, pins, checkpoints, runs, trees } = findings.reapable;
  return {
    projectId, state: 'looked', left: [], drift: findings.drift, orphans: findings.orphans,
    reaped: { forks, pins: pins.map((pin) => pin.checkpointId), checkpoints, runs, trees },
  };
}

function key(name: string) {
  return defineSearchAttributeKey(name, SearchAttributeType.KEYWORD);
}
