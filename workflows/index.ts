/** The workflow list: what the worker registers is what is exported here. */
export { deleteProject } from './delete-project.ts';
export { generateApp } from './generate-app.ts';
export { generateProject } from './generate-project.ts';
export { materializeApp } from './materialize-app.ts';
export { planRestore } from './plan-restore.ts';
export { provisionProject } from './provision-project.ts';
export { recordBookmark } from './record-bookmark.ts';
export { recoverProject } from './recover-project.ts';
export { restoreProject } from './restore-project.ts';
export { sweep } from './sweep.ts';
export { sweepProject } from './sweep-project.ts';
export { verifyProject } from './verify-project.ts';
