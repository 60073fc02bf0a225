/** Kubernetes Events of pods: what a person sees first. Losing one is harmless, so it is never retried. */
import { randomBytes } from 'node:crypto';
import type { KubeClient } from '../kube-client.ts';
import { errorFields, log } from '../log.ts';
import { now } from './container-runtime.ts';
import type { Pod } from './kube-types.ts';
import { NODE_NAME } from './node-registration.ts';

export type EmitEvent = (pod: Pod, type: 'Normal' | 'Warning', reason: string, message: string) => void;

export function createPodEvents(kube: KubeClient): EmitEvent {
  const last = new Map<string, string>();
  return (pod, type, reason, message) => {
    const { name, namespace = '', uid } = pod.metadata;
    // A back-off that says the same again each time would flood the namespace.
    if (last.get(uid) === reason + message) return;
    last.set(uid, reason + message);
    if (last.size > 1_000) last.clear();
    log(type === 'Warning' ? 'warn' : 'info', message, { pod: `${namespace}/${name}`, reason });
    const time = now();
    const event = {
      apiVersion: 'v1', kind: 'Event', metadata: { name: `${name}.${randomBytes(8).toString('hex')}`, namespace },
      involvedObject: { apiVersion: 'v1', kind: 'Pod', name, namespace, uid },
      type, reason, message, count: 1, firstTimestamp: time, lastTimestamp: time,
      source: { component: 'process-node', host: NODE_NAME }, reportingComponent: 'process-node', reportingInstance: NODE_NAME,
    };
    kube.request({ method: 'POST', path: `/api/v1/namespaces/${namespace}/events`, body: event }).catch((error: unknown) => {
      log('debug', 'event not written', { reason, ...errorFields(error) });
    });
  };
}
