/** The data store's public face, for the composition root. */
export { createDataActivities, type DataReads } from './create-data-activities.ts';
export type { AppMigrations, DataDeps } from './data-deps.ts';
export { createTimelineClient, type TimelineClient } from './timeline-client.ts';
export { appRole, serviceRole, serviceSchema } from './schemas.ts';
export type { Migration, AppliedMigration } from './migrations.ts';
export type { Serving } from './read-serving.ts';
export type { TableRows } from './digests.ts';
