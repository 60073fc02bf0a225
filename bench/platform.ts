/** An embedded platform of the benchmark's own, stopped at its end whatever happens. */
import { join } from 'node:path';
import { down } from '../cli/platform/down.ts';
import { up } from '../cli/platform/up.ts';
import { openRuntime } from '../client/open.ts';
import type { OpenRuntime } from '../client/open.ts';

export async function withPlatform<T>(folder: string, note: (text: string) => void, work: (open: OpenRuntime, data: string) => Promise<T>): Promise<T> {
  const data = join(folder, 'd');
  try {
    const { ms } = await up({ data }, ({ part, state, detail }) => { if (part.startsWith('engine/') && state !== 'ready') note(`${part}: ${state} ${detail ?? ''}`); });
    note(`platform up in ${String(ms)} ms`);
    const open = await openRuntime(data);
    try {
      return await work(open, data);
    } finally {
      await open.close();
    }
  } finally {
    const { left } = await down({ data });
    if (left.length > 0) note(`processes left: ${JSON.stringify(left)}`);
  }
}
