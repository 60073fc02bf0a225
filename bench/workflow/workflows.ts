/** What the benchmarks' own worker registers: restore and generation as they are, and the same activities without them. */
export { generateApp } from '../../workflows/generate-app.ts';
export { generateProject } from '../../workflows/generate-project.ts';
export { materializeApp } from '../../workflows/materialize-app.ts';
export { restoreProject } from '../../workflows/restore-project.ts';
export { bareWorkflow } from './bare-workflow.ts';
