/** An embedded platform of the benchmark's own, stopped at its end whatever happens, an interrupt included. */
import { join } from 'node:path';
import { down } from '../cli/platform/down.ts';
import { up } from '../cli/platform/up.ts';
import { openRuntime } from '../client/open.ts';
import type { OpenRuntime } from '../client/open.ts';

export async function withPlatform<T>(folder: string, note: (text: string) => void, work: (open: OpenRuntime, data: string) => Promise<T>): Promise<T> {
  const data = join(folder, 'd');
  const interrupted = new Promise<never>((_, reject) => {
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => { reject(new Error(`Interrupted by ${name}.`)); });
  });
  try {
    return await Promise.race([interrupted, using(data, note, work)]);
  } finally {
    const { left } = await down({ data });
    if (left.length > 0) note(`processes left: ${JSON.stringify(left)}`);
  }
}

async function using<T>(data: string, note: (text: string) => void, work: (open: OpenRuntime, data: string) => Promise<T>): Promise<T> {
  const { ms } = await up({ data }, ({ part, state, detail }) => { if (part.startsWith('engine/') && state !== 'ready') note(`${part}: ${state} ${detail ?? ''}`); });
  note(`platform up in ${String(ms)} ms`);
  const open = await openRuntime(data);
  try {
    return await work(open, data);
  } finally {
    await open.close();
  }
}
