/**
 * A fork's recovery: from a base of its source, through the source's own archive and the flushed
 * tail of its live WAL, to exactly one LSN, promoted under a reserved pgTimelineId (I1). The
 * archive is one timeline's only and the target timeline explicit: with a shared archive and
 * `latest`, a fork silently served its sibling's rows.
 */
import { chownSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Lsn } from '../../shared/lsn.ts';
import { readPgControl } from './pg-control.ts';
import { PostgresFailed, runUntilStopped } from './postgres-process.ts';
import { shellWord } from '../node/runners/compute/shell-word.ts';
import { unusableLsn } from './answer.ts';

export interface Recovery {
  readonly binaries: string;
  readonly uid: number | undefined;
  /** The copy that is recovered. */
  readonly pgdata: string;
  readonly source: { readonly archive: string; readonly liveWal: string; readonly pgTimelineId: number };
  /** Without a target, all of a cleanly stopped source is taken. */
  readonly target: Lsn | undefined;
  readonly pgTimelineId: number;
}

export async function recover(recovery: Recovery): Promise<void> {
  const { pgdata, uid, source, target } = recovery;
  const signal = join(pgdata, 'recovery.signal');
  writeFileSync(signal, '', { mode: 0o600 });
  if (uid !== undefined) chownSync(signal, uid, uid);
  const settings: Record<string, string> = {
    restore_command: restoreCommand(recovery),
    recovery_target_timeline: String(source.pgTimelineId),
    recovery_target_action: 'promote',
    ...(target === undefined ? {} : { recovery_target_lsn: target, recovery_target_inclusive: 'off' }),
  };
  try {
    await runUntilStopped({ binaries: recovery.binaries, pgdata, uid, settings, timeoutMs: 600_000 });
  } catch (error) {
    if (error instanceof PostgresFailed && /before configured recovery target|before consistent/.test(error.message)) {
      throw unusableLsn(`LSN ${String(target)} is not in this timeline's WAL: ${error.message}.`);
    }
    throw error;
  }
  const control = readPgControl(pgdata);
  if (control.state !== 'stopped' || control.pgTimelineId !== recovery.pgTimelineId) {
    throw new Error(`The fork stopped as ${control.state} on pgTimelineId ${String(control.pgTimelineId)}, not ${String(recovery.pgTimelineId)}`);
  }
}

/**
 * PostgreSQL promotes to the first number above the target for which no history file is found:
 * answering the probes below the reserved one makes it take that. In the words of the shell that
 * PostgreSQL starts for each, so that it starts no second one; `%f` and `%p` are PostgreSQL's.
 */
function restoreCommand({ source, pgTimelineId }: Recovery): string {
  return `archive=${shellWord(source.archive)} live=${shellWord(source.liveWal)} file="%f" to="%p"
case "$file" in
*.history)
  if [ -f "$archive/$file" ]; then exec cp "$archive/$file" "$to"; fi
  number=$((0x\${file%%.history}))
  if [ "$number" -gt ${String(source.pgTimelineId)} ] && [ "$number" -lt ${String(pgTimelineId)} ]; then echo reserved > "$to"; exit 0; fi
  exit 1 ;;
esac
# Twice the archive: a segment may move there between the two looks.
for place in "$archive" "$live" "$archive"; do
  if [ -f "$place/$file" ] && cp "$place/$file" "$to" 2>/dev/null; then exit 0; fi
done
exit 1`;
}
