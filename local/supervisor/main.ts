/**
 * The daemon that owns one data directory. One runs per directory (a lock with pid and start time);
 * it clears what a killed predecessor left, starts the platform, and ends only with all of it (I2).
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { tryLock } from '../lock-file.ts';
import { errorFields, log } from '../log.ts';
import { layout } from '../paths.ts';
import type { Platform } from '../platform.ts';
import { ownIdentity } from '../process-identity.ts';
import { AdorableError } from '../../shared/errors.ts';
import { ControlSocket } from './control.ts';
import { checkDataDirectory, instanceOf, prepareDataDirectory } from './data-directory.ts';
import { clearLeftovers } from './leftovers.ts';
import { copyRunners } from './part-specs.ts';
import { removeRunRecord, writeRunRecord } from './run-records.ts';
import { Supervisor } from './supervisor.ts';

const { values } = parseArgs({ options: { data: { type: 'string' }, engines: { type: 'string' }, ports: { type: 'string' } } });
await supervise(values.data ?? '', JSON.parse(values.engines ?? '{}') as Platform['engines'], JSON.parse(values.ports ?? '{}') as Partial<Platform['ports']>);

async function supervise(data: string, engines: Platform['engines'], ports: Partial<Platform['ports']>): Promise<void> {
  const paths = layout(data);
  checkDataDirectory(data);
  const held = tryLock(join(data, 'logs', 'supervisor.lock'));
  if (!('release' in held)) {
    log('info', 'another supervisor owns this data directory', { pid: held.pid });
    return;
  }
  const socket = new ControlSocket();
  let supervisor: Supervisor | undefined;
  const finish = async (code: number): Promise<never> => {
    await supervisor?.stop();
    removeRunRecord(paths, 'supervisor');
    socket.close();
    held.release();
    log('info', 'supervisor ends', { code });
    process.exit(code);
  };
  let ending: Promise<never> | undefined;
  const end = async (code: number) => { await (ending ??= finish(code)); };
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.on(name, () => void end(0));
  try {
    await socket.listen(paths.socket, { stop: () => end(0) });
    const cleared = await clearLeftovers(paths, instanceOf(data));
    if (cleared > 0) log('warn', 'ended processes of an earlier supervisor', { processes: cleared });
    const platform = await prepareDataDirectory({ data, engines, ports });
    writeRunRecord(paths, 'supervisor', { ...ownIdentity(), startedAt: new Date().toISOString(), logOffset: 0, restarts: 0 });
    copyRunners(platform);
    supervisor = new Supervisor(platform, (event) => {
      log('info', 'part', { ...event });
      socket.emit(event);
    });
    await supervisor.start();
  } catch (error) {
    log('error', 'the platform did not start', errorFields(error));
    const type = error instanceof AdorableError ? error.type : 'Unavailable';
    socket.emit({ part: 'platform', state: 'failed', ms: 0, detail: JSON.stringify({ type, message: error instanceof Error ? error.message : String(error) }) });
    await socket.heard(2_000);
    await end(1);
  }
}
