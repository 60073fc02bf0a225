/**
 * A fork's recovery: from a base of its source, through the source's own archive and the flushed
 * tail of its live WAL, to exactly one LSN, promoted under a reserved pgTimelineId (I1). The
 * archive is one timeline's only and the target timeline explicit: with a shared archive and
 * `latest`, a fork silently served its sibling's rows.
 */
import { chmodSync, chownSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Lsn } from '../../shared/lsn.ts';
import { readPgControl } from './pg-control.ts';
import { PostgresFailed, runUntilStopped } from './postgres-process.ts';
import { unusableLsn } from './answer.ts';

export interface Recovery {
  readonly binaries: string;
  readonly uid: number | undefined;
  /** The copy that is recovered, and a folder beside it for the script. */
  readonly pgdata: string;
  readonly folder: string;
  readonly source: { readonly archive: string; readonly liveWal: string; readonly pgTimelineId: number };
  /** Without a target, all of a cleanly stopped source is taken. */
  readonly target: Lsn | undefined;
  readonly pgTimelineId: number;
}

export async function recover(recovery: Recovery): Promise<void> {
  const { pgdata, uid, source, target } = recovery;
  const script = join(recovery.folder, 'restore.sh');
  writeFileSync(script, restoreScript(recovery));
  chmodSync(script, 0o755);
  const signal = join(pgdata, 'recovery.signal');
  writeFileSync(signal, '', { mode: 0o600 });
  if (uid !== undefined) chownSync(signal, uid, uid);
  const settings: Record<string, string> = {
    restore_command: `"${script}" "%f" "%p"`,
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
  rmSync(script);
  const control = readPgControl(pgdata);
  if (control.state !== 'stopped' || control.pgTimelineId !== recovery.pgTimelineId) {
    throw new Error(`The fork stopped as ${control.state} on pgTimelineId ${String(control.pgTimelineId)}, not ${String(recovery.pgTimelineId)}`);
  }
}

/**
 * PostgreSQL promotes to the first number above the target for which no history file is found:
 * answering the probes below the reserved one makes it take that.
 */
function restoreScript({ source, pgTimelineId }: Recovery): string {
  return `#!/bin/sh
archive='${source.archive}'
live='${source.liveWal}'
case "$1" in
*.history)
  if [ -f "$archive/$1" ]; then exec cp "$archive/$1" "$2"; fi
  number=$((0x\${1%.history}))
  if [ "$number" -gt ${String(source.pgTimelineId)} ] && [ "$number" -lt ${String(pgTimelineId)} ]; then echo reserved > "$2"; exit 0; fi
  exit 1 ;;
esac
# Twice the archive: a segment may move there between the two looks.
for place in "$archive" "$live" "$archive"; do
  if [ -f "$place/$1" ] && cp "$place/$1" "$2" 2>/dev/null; then exit 0; fi
done
exit 1
`;
}
