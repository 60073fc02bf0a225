/** What the cluster needs before anything of ours talks to it: rights, and the fence policy. */
import { existsSync } from 'node:fs';
import type { Platform } from '../platform.ts';
import { applyPlatformObject } from './api.ts';
import { rbac } from './rbac.ts';
import type { KubeObject } from './rbac.ts';

export async function bootstrapCluster(platform: Platform): Promise<void> {
  for (const object of [...rbac, ...(await fencePolicy())]) await applyPlatformObject(platform, object);
}

async function fencePolicy(): Promise<KubeObject[]> {
  const file = new URL('./fence-policy.ts', import.meta.url);
  if (!existsSync(file)) return [];
  const module = (await import(file.href)) as Record<string, unknown>;
  return Object.values(module).flat().filter(isKubeObject);
}

function isKubeObject(value: unknown): value is KubeObject {
  return typeof value === 'object' && value !== null && 'apiVersion' in value && 'kind' in value && 'metadata' in value;
}
