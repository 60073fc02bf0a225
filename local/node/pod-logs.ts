/**
 * One log file per pod, `logs/pods/<namespace>/<pod>.log`. Programs append to it directly, so it
 * is cut in place; a namespace keeps the files of its newest pods, so that a crash of yesterday
 * can still be read and a year of restores does not fill the disk.
 */
import { closeSync, ftruncateSync, mkdirSync, openSync, readdirSync, readSync, rmSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';

const MAX_BYTES = 8 * 1024 * 1024;
const KEPT_BYTES = 1024 * 1024;
const KEPT_FILES = 40;

export interface PodLogs {
  open(namespace: string, pod: string): string;
  /** The pod is gone: its file may be dropped when newer ones need the room. */
  close(file: string): void;
}

export function createPodLogs(root: string): PodLogs {
  const live = new Set<string>();
  return {
    open: (namespace, pod) => {
      const directory = join(root, namespace);
      mkdirSync(directory, { recursive: true, mode: 0o700 });
      const ended = readdirSync(directory).map((name) => join(directory, name)).filter((file) => !live.has(file));
      const byAge = ended.map((file) => ({ file, at: statSync(file).mtimeMs })).sort((a, b) => b.at - a.at);
      for (const old of byAge.slice(KEPT_FILES)) rmSync(old.file, { force: true });
      const file = join(directory, `${pod}.log`);
      live.add(file);
      closeSync(openSync(file, 'a', 0o640));
      return file;
    },
    close: (file) => void live.delete(file),
  };
}

/** Keeps the end of a file that grew too long; its writers append, so they go on after it. */
export function trimLog(file: string, { maxBytes = MAX_BYTES, keptBytes = KEPT_BYTES } = {}): boolean {
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  if (size <= maxBytes) return false;
  const fd = openSync(file, 'r+');
  try {
    const tail = Buffer.alloc(keptBytes);
    const length = readSync(fd, tail, 0, keptBytes, size - keptBytes);
    ftruncateSync(fd, 0);
    writeSync(fd, tail, tail.indexOf('\n') + 1, length - tail.indexOf('\n') - 1, 0);
  } finally {
    closeSync(fd);
  }
  return true;
}
