/**
 * Reads the zip files of the Go module proxy (no encryption, no zip64), since neither Node nor a
 * bare machine brings an unzip. Entry names are checked: nothing is written outside the target.
 */
import { closeSync, fstatSync, mkdirSync, openSync, readSync, writeFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { inflateRawSync } from 'node:zlib';

const END_OF_DIRECTORY = 0x06054b50;
const DIRECTORY_ENTRY = 0x02014b50;

export interface ZipEntry {
  readonly name: string;
  readonly content: Buffer;
}

/** Calls `visit` with each file of the archive in its stored order. */
export function readZip(file: string, visit: (entry: ZipEntry) => void): void {
  const fd = openSync(file, 'r');
  try {
    const { offset, count, size } = findDirectory(fd);
    const directory = readAt(fd, offset, size);
    for (let at = 0, i = 0; i < count; i++) {
      if (directory.readUInt32LE(at) !== DIRECTORY_ENTRY) throw new Error(`${file} is not a readable zip file`);
      const method = directory.readUInt16LE(at + 10);
      const packed = directory.readUInt32LE(at + 20);
      const nameLength = directory.readUInt16LE(at + 28);
      const local = directory.readUInt32LE(at + 42);
      const name = directory.toString('utf8', at + 46, at + 46 + nameLength);
      at += 46 + nameLength + directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32);
      if (name.endsWith('/')) continue;
      const header = readAt(fd, local, 30);
      const start = local + 30 + header.readUInt16LE(26) + header.readUInt16LE(28);
      const bytes = readAt(fd, start, packed);
      visit({ name, content: method === 0 ? bytes : inflateRawSync(bytes) });
    }
  } finally {
    closeSync(fd);
  }
}

export function writeBelow(root: string, name: string, content: Buffer, mode: number): void {
  const path = normalize(name);
  if (path.startsWith('..') || path.startsWith('/')) throw new Error(`zip entry ${name} leaves its directory`);
  const target = join(root, path);
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, content, { mode });
}

function findDirectory(fd: number): { offset: number; count: number; size: number } {
  const total = fstatSync(fd).size;
  const tail = readAt(fd, Math.max(0, total - 65_557), Math.min(total, 65_557));
  for (let at = tail.length - 22; at >= 0; at--) {
    if (tail.readUInt32LE(at) !== END_OF_DIRECTORY) continue;
    return { count: tail.readUInt16LE(at + 10), size: tail.readUInt32LE(at + 12), offset: tail.readUInt32LE(at + 16) };
  }
  throw new Error('not a zip file: it has no central directory');
}

function readAt(fd: number, position: number, length: number): Buffer {
  const buffer = Buffer.alloc(length);
  if (readSync(fd, buffer, 0, length, position) !== length) throw new Error('the zip file is cut off');
  return buffer;
}
