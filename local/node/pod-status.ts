/**
 * A pod's status from its containers' states: pure. Conditions of others (PodScheduled,
 * DisruptionTarget) are carried along, and lastTransitionTime moves only when a status does,
 * since availability is counted from it.
 */
import type { ContainerStatus, Pod, PodCondition, PodStatus } from './kube-types.ts';

interface Observed {
  readonly pod: Pod;
  readonly previous: readonly PodCondition[];
  readonly init: readonly ContainerStatus[];
  readonly containers: readonly ContainerStatus[];
  readonly podIP: string | undefined;
  readonly startTime: string;
  readonly now: string;
  readonly stopping: boolean;
}

const OURS = ['Initialized', 'ContainersReady', 'Ready', 'PodReadyToStartContainers'];

export function podStatus(observed: Observed): PodStatus {
  const { pod, containers, init, podIP } = observed;
  const phase = phaseOf(pod.spec.restartPolicy ?? 'Always', containers, init, observed.stopping);
  const unready = containers.filter((container) => !container.ready).map((container) => container.name);
  const isInitialized = init.every((container) => container.state.terminated?.exitCode === 0);
  const areReady = containers.length > 0 && unready.length === 0 && !observed.stopping;
  const gates = (pod.spec.readinessGates ?? []).every((gate) =>
    pod.status?.conditions?.some((condition) => condition.type === gate.conditionType && condition.status === 'True'));
  const because = phase === 'Succeeded' ? { reason: 'PodCompleted' }
    : { reason: 'ContainersNotReady', message: `containers with unready status: [${unready.join(' ')}]` };

  const wanted: PodCondition[] = [
    { type: 'PodReadyToStartContainers', status: podIP ? 'True' : 'False' },
    isInitialized ? { type: 'Initialized', status: 'True' } : { type: 'Initialized', status: 'False', reason: 'ContainersNotInitialized' },
    areReady ? { type: 'ContainersReady', status: 'True' } : { type: 'ContainersReady', status: 'False', ...because },
    areReady && gates ? { type: 'Ready', status: 'True' }
      : { type: 'Ready', status: 'False', ...(areReady ? { reason: 'ReadinessGatesNotReady' } : because) },
  ];
  const others = (pod.status?.conditions ?? []).filter((condition) => !OURS.includes(condition.type));
  return {
    phase,
    startTime: observed.startTime,
    hostIP: '127.0.0.1',
    ...(podIP ? { podIP, podIPs: [{ ip: podIP }] } : {}),
    conditions: [...wanted.map((condition) => withTransition(condition, observed)), ...others],
    ...(init.length > 0 ? { initContainerStatuses: init } : {}),
    containerStatuses: containers,
  } as PodStatus;
}

function withTransition(condition: PodCondition, { previous, now }: Observed): PodCondition {
  const before = previous.find((candidate) => candidate.type === condition.type);
  return { ...condition, lastTransitionTime: before?.status === condition.status ? before.lastTransitionTime ?? now : now };
}

function phaseOf(
  policy: 'Always' | 'OnFailure' | 'Never', containers: readonly ContainerStatus[], init: readonly ContainerStatus[], stopping: boolean,
): string {
  const codes = containers.map((container) => container.state.terminated?.exitCode);
  const allEnded = codes.length > 0 && codes.every((code) => code !== undefined);
  const isFinal = allEnded && (stopping || policy !== 'Always');
  if (isFinal) return codes.every((code) => code === 0) ? 'Succeeded' : 'Failed';
  if (policy === 'Never' && init.some((container) => (container.state.terminated?.exitCode ?? 0) !== 0)) return 'Failed';
  return containers.some((container) => container.containerID !== undefined) ? 'Running' : 'Pending';
}
