/** Secrets and ConfigMaps of one namespace, read when a container starts: never cached, never logged (I7). */
import { setTimeout as sleep } from 'node:timers/promises';
import { kubeCode, type KubeClient } from '../kube-client.ts';
import type { KeyValueSource } from './environment.ts';

/** The Node authorizer learns of a new pod's references a moment after the node does. */
const AUTHORIZER_TRIES = 20;

export function createKeyValueSource(kube: KubeClient, namespace: string): KeyValueSource {
  async function read<T>(path: string): Promise<T | undefined> {
    for (let tries = 1; ; tries++) {
      try {
        return await kube.request<T>({ method: 'GET', path });
      } catch (error) {
        const code = kubeCode(error);
        if (code === 404) return undefined;
        if (code !== 403 || tries === AUTHORIZER_TRIES) throw error;
        await sleep(50);
      }
    }
  }
  return {
    secret: async (name) => {
      const found = await read<{ data?: Record<string, string> }>(`/api/v1/namespaces/${namespace}/secrets/${name}`);
      return found && Object.fromEntries(Object.entries(found.data ?? {}).map(([key, value]) => [key, Buffer.from(value, 'base64').toString('utf8')]));
    },
    configMap: async (name) => {
      const found = await read<{ data?: Record<string, string> }>(`/api/v1/namespaces/${namespace}/configmaps/${name}`);
      return found && (found.data ?? {});
    },
  };
}
