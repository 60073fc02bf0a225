/**
 * The first timeline of a tenant: a cluster of its own (so a system identifier of its own) with
 * database `app` and superuser `cloud_admin`, in small WAL segments.
 */
import { execFile, spawn } from 'node:child_process';
import { chownSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { makeOwned } from './copy-tree.ts';

const run = promisify(execFile);

export async function bootstrap(binaries: string, pgdata: string, uid: number | undefined): Promise<void> {
  // initdb and single-user mode ask the user database for their own name, which project uids do not have.
  const builder = uid === undefined ? undefined : nobodyUid();
  makeOwned(pgdata, builder);
  const as = { cwd: pgdata, env: { PATH: process.env['PATH'] ?? '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' }, ...(builder === undefined ? {} : { uid: builder, gid: builder }) };
  await run(join(binaries, 'initdb'), [
    '-D', pgdata, '-U', 'cloud_admin', '--wal-segsize=1', '-A', 'reject', '--encoding=UTF8', '--locale=C.UTF-8',
    '--locale-provider=builtin', '--no-sync', '--no-instructions',
  ], as);
  const single = spawn(join(binaries, 'postgres'), ['--single', '-j', '-D', pgdata, '-c', 'fsync=off', '-c', 'log_checkpoints=off', 'template1'], { ...as, stdio: ['pipe', 'ignore', 'pipe'] });
  let problems = '';
  single.stderr.setEncoding('utf8').on('data', (chunk: string) => { problems += chunk; });
  // Renamed rather than created: a database is 7 MB, and every fork has its own copy.
  single.stdin.end('ALTER DATABASE postgres RENAME TO app;\n\nCOMMENT ON DATABASE app IS NULL;\n\n');
  const code = await new Promise<number | null>((resolve, reject) => single.on('error', reject).on('close', resolve));
  if (code !== 0 || /\b(ERROR|FATAL):/.test(problems)) throw new Error(`A new cluster could not be prepared: ${problems.slice(-400)}`);
  if (uid !== undefined) await run('chown', ['-R', `${String(uid)}:${String(uid)}`, pgdata]);
  if (uid !== undefined) chownSync(pgdata, uid, uid);
}

function nobodyUid(): number {
  const line = readFileSync('/etc/passwd', 'utf8').split('\n').find((row) => row.startsWith('nobody:'));
  const uid = Number(line?.split(':')[2]);
  if (!Number.isInteger(uid) || uid === 0) throw new Error('This machine has no user `nobody` to prepare a cluster as');
  return uid;
}
