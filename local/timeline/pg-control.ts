/**
 * What a PostgreSQL 17 data directory says about itself in `global/pg_control`: its state, its
 * pgTimelineId and, once cleanly stopped, the end of its WAL. I1 rests on this LSN, so the file's
 * checksum is verified before anything in it is believed.
 */
import { readFileSync, openSync, readSync, closeSync } from 'node:fs';
import { join } from 'node:path';
import { lsnText, type Lsn } from '../../shared/lsn.ts';

const CONTROL_VERSION_17 = 1700;
const CRC_OFFSET = 288;
const STATES = ['startup', 'stopped', 'stopped-in-recovery', 'stopping', 'crash-recovery', 'archive-recovery', 'running'] as const;
const PAGE = 8192n;
const SEGMENT = 1n << 20n;

export interface PgControl {
  readonly state: (typeof STATES)[number];
  readonly systemId: string;
  readonly pgTimelineId: number;
  /** Where the last checkpoint record starts. */
  readonly checkpoint: bigint;
}

export function readPgControl(pgdata: string): PgControl {
  const file = readFileSync(join(pgdata, 'global', 'pg_control'));
  const version = file.readUInt32LE(8);
  if (version !== CONTROL_VERSION_17) throw new Error(`${pgdata} has control file version ${String(version)}, not PostgreSQL 17's`);
  if (crc32c(file.subarray(0, CRC_OFFSET)) !== file.readUInt32LE(CRC_OFFSET)) throw new Error(`${pgdata} has a torn control file`);
  return {
    state: STATES[file.readInt32LE(16)] ?? 'startup',
    systemId: file.readBigUInt64LE(0).toString(),
    checkpoint: file.readBigUInt64LE(32),
    pgTimelineId: file.readUInt32LE(48),
  };
}

/** The end of the WAL of a cleanly stopped directory: just past its shutdown checkpoint. */
export function endOfWal(pgdata: string, control: PgControl): Lsn {
  const start = control.checkpoint;
  const handle = openSync(join(pgdata, 'pg_wal', segmentName(control.pgTimelineId, start)), 'r');
  const word = Buffer.alloc(4);
  try {
    readSync(handle, word, 0, 4, Number(start % SEGMENT));
  } finally {
    closeSync(handle);
  }
  let end = start;
  let left = BigInt(word.readUInt32LE(0));
  while (left > 0n) {
    // A record that meets a page boundary goes on after that page's header.
    if (end % PAGE === 0n) end += end % SEGMENT === 0n ? 40n : 24n;
    const room = PAGE - (end % PAGE);
    const part = left < room ? left : room;
    end += part;
    left -= part;
  }
  return lsnText((end + 7n) & ~7n);
}

export function segmentName(pgTimelineId: number, lsn: bigint): string {
  const hex = (value: bigint) => value.toString(16).toUpperCase().padStart(8, '0');
  const segment = lsn / SEGMENT;
  const perLog = (1n << 32n) / SEGMENT;
  return hex(BigInt(pgTimelineId)) + hex(segment / perLog) + hex(segment % perLog);
}

function crc32c(bytes: Buffer): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  return (crc ^ 0xffffffff) >>> 0;
}
