/** The compute's configuration files, written outside PGDATA so that none of it rewinds with the data. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { shellWord } from './shell-word.ts';

export type Logins = 'none' | 'all' | 'admin';

export interface ConfigInput {
  readonly folder: string;
  readonly pgdata: string;
  readonly walArchive: string;
  readonly listen: string;
  readonly port: number;
}

export function writeConfig({ folder, pgdata, walArchive, listen, port }: ConfigInput): void {
  const archive = [
    `A=${shellWord(walArchive)}`,
    // Repeated after a crash: the same segment of one timeline always has the same bytes.
    'cp "%p" "$A/.%f"', 'sync "$A/.%f"', 'mv "$A/.%f" "$A/%f"', 'sync "$A"',
  ].join(' && ');
  const settings: Record<string, string> = {
    data_directory: pgdata, hba_file: join(folder, 'pg_hba.conf'), ident_file: join(folder, 'pg_ident.conf'),
    listen_addresses: listen, port: String(port), unix_socket_directories: folder, unix_socket_permissions: '0700',
    max_connections: '60', superuser_reserved_connections: '6', authentication_timeout: '10s', password_encryption: 'scram-sha-256',
    shared_buffers: '16MB', max_prepared_transactions: '8', jit: 'off', max_logical_replication_workers: '0', max_wal_senders: '0',
    max_worker_processes: '4', max_parallel_workers: '2', max_parallel_workers_per_gather: '1',
    wal_level: 'replica', archive_mode: 'on', archive_command: archive, wal_recycle: 'off', min_wal_size: '2MB', max_wal_size: '256MB',
    synchronous_commit: 'on', fsync: 'on', full_page_writes: 'on', checkpoint_timeout: '15min', allow_alter_system: 'off',
    // A failing statement may hold a secret: it is not logged (I7).
    log_destination: 'stderr', logging_collector: 'off', log_statement: 'none', log_min_error_statement: 'panic', log_checkpoints: 'off',
    log_line_prefix: '', lc_messages: 'C', timezone: 'UTC', log_timezone: 'UTC',
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name} = '${value.replaceAll('\\', '\\\\').replaceAll("'", "''")}'\n`);
  writeFileSync(join(folder, 'postgresql.conf'), lines.join(''));
  writeFileSync(join(folder, 'pg_ident.conf'), '');
  writeAccess(folder, 'none');
}

/** `none` until the roles are right; `admin` while the project is frozen. */
export function writeAccess(folder: string, logins: Logins): void {
  const own = 'local all cloud_admin trust\n';
  // Migrations run while a project is frozen, as a login that exists only meanwhile.
  const admin = 'host all cloud_admin all scram-sha-256\nhost app "/^adorable_migration_[0-9a-f]{12}$" all scram-sha-256\n';
  const open = { none: '', admin, all: `${admin}host app all all scram-sha-256\n` }[logins];
  writeFileSync(join(folder, 'pg_hba.conf'), `${own}${open}`);
}
