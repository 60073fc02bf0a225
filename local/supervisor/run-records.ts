/** Which process is which part, on disk, so that a later supervisor can tell ours from strangers (I6). */
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Layout } from '../paths.ts';
import type { ProcessIdentity } from '../process-identity.ts';
import { writeAtomically } from './secrets.ts';
import type { PartName } from './part-names.ts';

export interface RunRecord extends ProcessIdentity {
  readonly startedAt: string;
  /** Where this run's lines begin in the part's log. */
  readonly logOffset: number;
  readonly restarts: number;
}

function fileOf(paths: Layout, part: PartName | 'supervisor'): string {
  return join(paths.run, `${part}.json`);
}

export function writeRunRecord(paths: Layout, part: PartName | 'supervisor', record: RunRecord): void {
  mkdirSync(paths.run, { recursive: true, mode: 0o711 });
  writeAtomically(fileOf(paths, part), JSON.stringify(record));
}

export function readRunRecord(paths: Layout, part: PartName | 'supervisor'): RunRecord | undefined {
  try {
    return JSON.parse(readFileSync(fileOf(paths, part), 'utf8')) as RunRecord;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

export function removeRunRecord(paths: Layout, part: PartName | 'supervisor'): void {
  rmSync(fileOf(paths, part), { force: true });
  rmSync(join(paths.run, `${part}.ready`), { force: true });
}
