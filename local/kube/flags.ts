/** Command lines of the control plane, each flag measured to matter on a small machine. */
import { join } from 'node:path';
import type { Layout } from '../paths.ts';
import { kubeconfigPath } from '../platform.ts';
import type { Platform } from '../platform.ts';
import { kubeFiles } from './identities.ts';

const CONTROLLERS = [
  'deployment', 'replicaset', 'statefulset', 'job', 'cronjob', 'endpointslice', 'serviceaccount', 'serviceaccount-token',
  'root-ca-certificate-publisher', 'namespace', 'garbage-collector', 'node-lifecycle', 'taint-eviction', 'pod-garbage-collector',
  'resourcequota', 'disruption', 'persistentvolume-binder', 'persistentvolumeclaim-protection', 'persistentvolume-protection',
  'service-cidr', 'clusterrole-aggregation',
];

export function etcdSocket(paths: Layout): string {
  return join(paths.kube, 'etcd.sock');
}

export function etcdFlags(paths: Layout): string[] {
  const client = `unix://${etcdSocket(paths)}`;
  const peer = `unix://${join(paths.kube, 'peer.sock')}`;
  return [
    'etcd',
    '--name=node0',
    `--data-dir=${join(paths.kube, 'etcd')}`,
    `--listen-client-urls=${client}`,
    `--advertise-client-urls=${client}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=node0=${peer}`,
    '--auto-compaction-retention=1',
    '--log-level=warn',
  ];
}

export function apiserverFlags(paths: Layout, platform: Platform, keys: { key: string; pub: string }): string[] {
  const files = kubeFiles(paths);
  return [
    'kube-apiserver',
    `--etcd-servers=unix://${etcdSocket(paths)}`,
    '--bind-address=127.0.0.1',
    `--secure-port=${platform.ports.kube}`,
    '--advertise-address=127.0.0.1',
    '--endpoint-reconciler-type=none',
    `--cert-dir=${files.pki}`,
    `--service-cluster-ip-range=${platform.loopback.services}`,
    '--authorization-mode=Node,RBAC',
    '--enable-admission-plugins=NodeRestriction',
    `--token-auth-file=${files.tokens}`,
    '--service-account-issuer=https://kubernetes.default.svc.cluster.local',
    `--service-account-key-file=${keys.pub}`,
    `--service-account-signing-key-file=${keys.key}`,
    '--profiling=false',
  ];
}

export function controllerManagerFlags(paths: Layout, platform: Platform, keys: { key: string }): string[] {
  const files = kubeFiles(paths);
  return [
    'kube-controller-manager',
    `--kubeconfig=${kubeconfigPath(paths.data, 'kcm')}`,
    '--bind-address=127.0.0.1',
    `--secure-port=${platform.ports.controllerManager}`,
    '--leader-elect=false',
    '--use-service-account-credentials=true',
    `--service-account-private-key-file=${keys.key}`,
    `--root-ca-file=${files.certificate}`,
    `--cert-dir=${join(files.pki, 'kcm')}`,
    '--profiling=false',
    '--kube-api-qps=1000',
    '--kube-api-burst=2000',
    '--concurrent-deployment-syncs=10',
    '--concurrent-replicaset-syncs=10',
    '--concurrent-namespace-syncs=10',
    '--concurrent-gc-syncs=20',
    `--controllers=${CONTROLLERS.map((name) => `${name}-controller`).join(',')}`,
  ];
}

export function schedulerFlags(paths: Layout, platform: Platform): string[] {
  return [
    'kube-scheduler',
    `--kubeconfig=${kubeconfigPath(paths.data, 'scheduler')}`,
    '--bind-address=127.0.0.1',
    `--secure-port=${platform.ports.scheduler}`,
    '--leader-elect=false',
    `--cert-dir=${join(kubeFiles(paths).pki, 'scheduler')}`,
    '--profiling=false',
  ];
}
