/**
 * Who may talk to the API server: a token per part, each with only its own rights (I8), written as
 * the server's token file and as one kubeconfig per identity.
 */
import { existsSync, mkdirSync, readFileSync, unlinkSync } from 'node:fs';
import { X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import type { Layout } from '../paths.ts';
import { kubeconfigPath, readSecret } from '../platform.ts';
import type { KubeIdentity, Platform } from '../platform.ts';
import { writeAtomically } from '../supervisor/secrets.ts';

interface Subject {
  readonly user: string;
  readonly groups?: string;
}

export const NODE_NAME = 'adorable';
export const WORKER_USER = 'adorable:worker';
export const GATEWAY_USER = 'adorable:gateway';

const SUBJECTS: Record<KubeIdentity, Subject> = {
  admin: { user: 'adorable:admin', groups: 'system:masters' },
  node: { user: `system:node:${NODE_NAME}`, groups: 'system:nodes' },
  worker: { user: WORKER_USER },
  gateway: { user: GATEWAY_USER },
  kcm: { user: 'system:kube-controller-manager' },
  scheduler: { user: 'system:kube-scheduler' },
};
const IDENTITIES = Object.keys(SUBJECTS) as KubeIdentity[];
const RENEW_BEFORE_MS = 30 * 24 * 3_600_000;

export function kubeFiles(paths: Layout) {
  const pki = join(paths.kube, 'pki');
  return { dir: paths.kube, pki, tokens: join(pki, 'tokens.csv'), certificate: join(pki, 'apiserver.crt') } as const;
}

export function writeIdentities(paths: Layout, platform: Platform): void {
  const files = kubeFiles(paths);
  mkdirSync(files.pki, { recursive: true, mode: 0o700 });
  dropExpiringCertificate(files.certificate, files.pki);
  const rows = IDENTITIES.map((identity) => {
    const { user, groups } = SUBJECTS[identity];
    return [readSecret(paths.data, `${identity}.token`), user, user, ...(groups ? [`"${groups}"`] : [])].join(',');
  });
  writeAtomically(files.tokens, `${rows.join('\n')}\n`);
  for (const identity of IDENTITIES) writeAtomically(kubeconfigPath(paths.data, identity), kubeconfig(identity, paths, platform));
}

function kubeconfig(identity: KubeIdentity, paths: Layout, platform: Platform): string {
  return `${JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'adorable', cluster: { server: `https://127.0.0.1:${platform.ports.kube}`, 'certificate-authority': kubeFiles(paths).certificate } }],
    users: [{ name: identity, user: { token: readSecret(paths.data, `${identity}.token`) } }],
    contexts: [{ name: 'adorable', context: { cluster: 'adorable', user: identity } }],
    'current-context': 'adorable',
  }, null, 2)}\n`;
}

/** The server signs its own certificate for a year and makes a new one only when the file is missing. */
function dropExpiringCertificate(certificate: string, pki: string): void {
  if (!existsSync(certificate)) return;
  const until = Date.parse(new X509Certificate(readFileSync(certificate)).validTo);
  if (until - Date.now() > RENEW_BEFORE_MS) return;
  unlinkSync(certificate);
  unlinkSync(join(pki, 'apiserver.key'));
}
