/**
 * One loopback address per running pod. Kubernetes is told 10.244.x.y, since it rejects loopback
 * endpoints; the process binds the mirror of it in 127/8. An address is not reused at once, so a
 * late connection to a dead pod meets nobody, and it survives the node's restart.
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { AdorableError } from '../../shared/errors.ts';

interface Kept { next: number; byUid: Record<string, number> }

const FIRST = 2;
const LAST = 0xfffe;

export interface PodAddresses {
  /** The reported address of a pod, the same one each time it is asked for. */
  take(uid: string): string;
  release(uid: string): void;
}

export function openPodAddresses(file: string): PodAddresses {
  mkdirSync(dirname(file), { recursive: true, mode: 0o711 });
  const kept = read(file);
  const save = () => {
    writeFileSync(`${file}.new`, JSON.stringify(kept), { mode: 0o600 });
    renameSync(`${file}.new`, file);
  };
  return {
    take: (uid) => {
      const known = kept.byUid[uid];
      if (known !== undefined) return reported(known);
      const used = new Set(Object.values(kept.byUid));
      for (let tried = FIRST; tried <= LAST; tried++) {
        const number = kept.next;
        kept.next = number >= LAST ? FIRST : number + 1;
        // .0 and .255 of a block look like network and broadcast addresses to some software.
        if (used.has(number) || [0, 255].includes(number & 0xff)) continue;
        kept.byUid[uid] = number;
        save();
        return reported(number);
      }
      throw new AdorableError('QuotaExceeded', 'Every pod address is in use: delete a project.');
    },
    release: (uid) => {
      if (kept.byUid[uid] === undefined) return;
      Reflect.deleteProperty(kept.byUid, uid);
      save();
    },
  };
}

function read(file: string): Kept {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Kept;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { next: FIRST, byUid: {} };
    throw error;
  }
}

function reported(number: number): string {
  return `10.244.${String(number >> 8)}.${String(number & 0xff)}`;
}

/** 10.244.x.y → <podPrefix>.x.y, where the pod's process really listens. */
export function mirrorOf(podIP: string, podPrefix: string): string {
  return podIP.replace(/^10\.244/, podPrefix);
}
