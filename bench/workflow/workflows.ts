/** What the benchmark's own worker registers: the restore as it is, and the same activities without it. */
export { restoreProject } from '../../workflows/restore-project.ts';
export { bareWorkflow } from './bare-workflow.ts';
