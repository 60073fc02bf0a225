/**
 * A path as one word of PostgreSQL's `archive_command` and `restore_command`: for the shell that runs
 * them, and for PostgreSQL, which replaces what follows a percent sign first.
 */
export function shellWord(path: string): string {
  return `'${path.replaceAll("'", `'\\''`).replaceAll('%', '%%')}'`;
}
