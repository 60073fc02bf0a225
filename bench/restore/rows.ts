/** The figures of one size on one filesystem: which there are, and what each means. Pure. */

export const ROWS = {
  'undo wall': 'undo through the client, from the call to its outcome',
  'undo downtime': 'from the last good answer that a client of the app got before the undo to the first good one after it',
  'redo wall': 'redo through the client: one app more to start, and a fork of a sealed timeline',
  'redo downtime': 'the same client during the redo',
  'fork': "the nearest base copied, WAL replayed to the undo's LSN, promoted, stopped, synced: the timeline server's own recipe, called directly",
  'compute stop': "the compute's Deployment scaled to 0 through the API, until its pod is gone",
  'compute start': "scaled to 1, until its pod is ready",
  'git': '`git read-tree --reset -u` to the target and `git commit`, in a clone',
  'apply': "server-side apply of the namespace's objects, all of a kind at once, into another namespace",
  'app start': "the app's Deployment scaled to 1, until a client gets a good answer through the gateway",
  'app stop': "the apps' Deployments scaled to 0, until their pods are gone; in no sum",
  'postgres stop': 'PostgreSQL alone with the compute\'s settings and as much data: CHECKPOINT, then SIGINT until it is gone; no pod',
  'postgres start': 'the same, from spawn to its first answer; no pod',
  'pg_dump': 'pg_dump of the same database, directory format, two jobs, not compressed',
  'pg_restore': "pg_restore of that dump into an empty database with the compute's settings, two jobs",
} as const;

export type Row = keyof typeof ROWS;

/** What a restore is made of; they follow each other when a person does it. */
export const BARE_PARTS: readonly Row[] = ['fork', 'compute stop', 'compute start', 'git', 'apply', 'app start'];
/** What a client must wait for whoever does it. */
export const BARE_DOWNTIME: readonly Row[] = ['compute stop', 'compute start', 'app start'];
export const DUMP_AND_RESTORE: readonly Row[] = ['pg_dump', 'pg_restore'];

export const WANTED_WALL = 1.3;
export const WANTED_DOWNTIME = 1.5;

export type Samples = Partial<Record<Row, readonly number[]>>;

export interface SizeResult {
  readonly label: string;
  readonly databaseBytes: number;
  /** Between the base that a fork starts from and the undo's LSN. */
  readonly replayedBytes: number;
  readonly samples: Samples;
  /** Steps of the undo's own table, in order, each with its times. */
  readonly steps: readonly { readonly name: string; readonly ms: readonly number[] }[];
}

export interface FilesystemResult {
  readonly kind: 'plain' | 'reflink';
  readonly description: string;
  readonly sizes: readonly SizeResult[];
}

export interface Absent {
  readonly what: string;
  readonly why: string;
}
