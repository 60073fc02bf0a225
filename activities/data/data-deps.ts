/** What the data activities need from elsewhere: ports, so that a test has a two-line fake of each. */
import type { AppId, ProjectId } from '../../shared/ids.ts';
import type { Moment } from '../../shared/moment.ts';
import type { ComputeRole } from '../../local/node/runners/compute/assert-roles.ts';
import type { ComputeAddress } from './adapters/postgres.ts';
import type { Migration } from './migrations.ts';
import type { SeedFile } from './seed-content.ts';
import type { TimelineClient } from './timeline-client.ts';

export interface AppMigrations {
  readonly appId: AppId;
  readonly revision: string | null;
  /** In the order in which they are applied. */
  readonly migrations: readonly Migration[];
  /** Rows that come with the app. */
  readonly seeds?: readonly SeedFile[];
}

export interface DataDeps {
  readonly timelines: TimelineClient;
  /** Where the project's compute answers from here: the `neon-compute` Service. Throws `Unavailable` when it has none. */
  computeAddress(projectId: ProjectId): Promise<ComputeAddress>;
  /** Password of `cloud_admin`, current. */
  adminPassword(projectId: ProjectId): Promise<string>;
  /** Every role that may exist with a login, from the current secrets: the same list that the compute is given. */
  computeRoles(projectId: ProjectId): Promise<readonly ComputeRole[]>;
  /** The migrations of every app of a moment, read from the moment's own tree. */
  readMigrations(projectId: ProjectId, moment: Moment): Promise<readonly AppMigrations[]>;
}
