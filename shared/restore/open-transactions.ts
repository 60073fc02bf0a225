/**
 * Transactions that are open when a restore comes, in words. A prepared one survives every restart
 * and every fork, with its locks: it belongs to the moment, and only its owner knows how it ends.
 */
export interface PreparedTransaction {
  readonly gid: string;
  readonly owner: string;
  readonly since: string;
}

export interface OpenTransactions {
  readonly prepared: readonly PreparedTransaction[];
  /** Sessions that have been in one transaction for long. */
  readonly sessions: readonly { readonly user: string; readonly since: string }[];
}

export type Names = ReadonlyMap<string, string>;

export function inDoubt({ gid, owner, since }: PreparedTransaction, names: Names = new Map()): string {
  return `prepared transaction ${JSON.stringify(gid)} of ${names.get(owner) ?? owner}, in doubt since ${since}`;
}

/** What happens to those of now: the freeze ends sessions, never a prepared transaction. */
export function openNow({ prepared, sessions }: OpenTransactions, names: Names): readonly string[] {
  return [
    ...prepared.map((one) => `${inDoubt(one, names)}: nothing ends it; the snapshot keeps it with its locks, as the present moment has it`),
    ...sessions.map(({ user, since }) => `a session of ${names.get(user) ?? user} in a transaction since ${since}: it is ended, and what it has not committed is rolled back`),
  ];
}

/** Those of the target come back as they were then, whatever became of them since. */
export function openThen(prepared: readonly PreparedTransaction[], names: Names): readonly string[] {
  return prepared.map((one) => `${inDoubt(one, names)} at the target: it comes back with its locks, whatever became of it since; its owner ends it with COMMIT PREPARED or ROLLBACK PREPARED`);
}
