import { describe, expect, test } from '@jest/globals';
import type { ContainerState, ContainerStatus, Pod, PodCondition } from '../../../local/node/kube-types.ts';
import { podStatus } from '../../../local/node/pod-status.ts';

const running: ContainerState = { running: { startedAt: 't' } };
const waiting: ContainerState = { waiting: { reason: 'ContainerCreating' } };
const ended = (exitCode: number): ContainerState => ({ terminated: { exitCode, reason: 'x', finishedAt: 't' } });
const container = (state: ContainerState, more: Partial<ContainerStatus> = {}): ContainerStatus => ({
  name: 'main', image: 'i', imageID: 'i', ready: false, started: true, restartCount: 0, state, lastState: {},
  ...(state.waiting ? {} : { containerID: 'process://1' }), ...more,
});

function statusOf(states: ContainerStatus[], { policy = 'Always', previous = [], stopping = false, now = 't1', others = [] }: {
  policy?: 'Always' | 'OnFailure' | 'Never'; previous?: readonly PodCondition[]; stopping?: boolean; now?: string; others?: PodCondition[];
} = {}) {
  const pod: Pod = { metadata: { name: 'p', uid: 'u', resourceVersion: '1' }, spec: { containers: [], restartPolicy: policy }, status: { conditions: others } };
  return podStatus({ pod, previous, init: [], containers: states, podIP: '10.244.0.2', startTime: 't0', now, stopping });
}

describe('podStatus', () => {
  test.each<[string, ContainerStatus[], Parameters<typeof statusOf>[1], string]>([
    ['nothing has started', [container(waiting)], {}, 'Pending'],
    ['one runs', [container(running)], {}, 'Running'],
    ['a crash loop counts as running', [container(waiting, { containerID: 'process://1' })], {}, 'Running'],
    ['ended well, never restarted', [container(ended(0))], { policy: 'Never' }, 'Succeeded'],
    ['one of two failed', [container(ended(0)), container(ended(1))], { policy: 'Never' }, 'Failed'],
    ['ended, but to be restarted', [container(ended(1))], {}, 'Running'],
    ['ended because the pod is deleted', [container(ended(143))], { stopping: true }, 'Failed'],
  ])('%s', (_, states, options, phase) => {
    expect(statusOf(states, options).phase).toBe(phase);
  });

  test('a stopping pod is never Ready, though its containers still are', () => {
    const ready = statusOf([container(running, { ready: true })]);
    const stopping = statusOf([container(running, { ready: true })], { stopping: true });
    const conditionOf = (status: typeof ready) => status.conditions?.find(({ type }) => type === 'Ready')?.status;
    expect([conditionOf(ready), conditionOf(stopping)]).toEqual(['True', 'False']);
  });

  test('lastTransitionTime moves only when a status does, and conditions of others stay', () => {
    const others: PodCondition[] = [{ type: 'PodScheduled', status: 'True', lastTransitionTime: 'early' }];
    const first = statusOf([container(running)], { others });
    const second = statusOf([container(running, { ready: true })], { previous: first.conditions ?? [], now: 't2', others });
    const times = Object.fromEntries((second.conditions ?? []).map(({ type, lastTransitionTime }) => [type, lastTransitionTime]));
    expect(times).toMatchObject({ Initialized: 't1', ContainersReady: 't2', Ready: 't2', PodScheduled: 'early' });
  });
});
