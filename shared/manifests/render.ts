/**
 * The namespace of one moment, rendered from its declared state: pure, in a stable order, equal
 * for equal input. Secrets are made beside it, since values have no place here (I7); what is not
 * declared is not rendered, and an id that nobody defines throws (I4).
 */
import { AdorableError } from '../errors.ts';
import type { ProjectId, TenantId, TimelineId, TreeHash } from '../ids.ts';
import { APP_SERVICES, COMPUTE } from '../services/built-ins.ts';
import { imageAt } from '../services/catalog.ts';
import { deployOrder } from '../services/deploy-order.ts';
import type { Deployable } from '../services/deploy-order.ts';
import type { ServiceRegistry } from '../services/registry.ts';
import type { Declared, DeclaredApp } from '../spec/declared.ts';
import { effectiveKind } from '../spec/project-spec.ts';
import { hardeningObjects } from './hardening.ts';
import type { KubeObject } from './kube-object.ts';
import * as names from './names.ts';
import { probesOf, workloadObjects } from './workload.ts';
import type { EnvVar, Workload } from './workload.ts';

export interface RenderInput {
  readonly projectId: ProjectId;
  readonly declared: Declared;
  readonly registry: ServiceRegistry;
  /** Each app's own tree, by its directory. */
  readonly trees: Readonly<Record<string, TreeHash>>;
  /** Absolute directory that holds `<projectId>/trees/<tree>`. */
  readonly treesRoot: string;
  readonly tenantId: TenantId;
  readonly timelineId: TimelineId;
  readonly fence: number;
  /** By Deployment name, 0 where absent; the compute runs unless it is named. `stopped` stops all but the compute. */
  readonly replicas: 'stopped' | 'running' | Readonly<Record<string, number>>;
  readonly previewDomain: string;
  readonly gatewayPort: number;
  readonly timelineServerUrl: string;
  readonly s3Url?: string;
  /** Keyed digest of what each Deployment gets from Secrets. */
  readonly envChecksums: Readonly<Record<string, string>>;
}

export function render(input: RenderInput): readonly KubeObject[] {
  const workloads = [computeWorkload(input), ...serviceWorkloads(input), ...appWorkloads(input)].map(workloadObjects);
  const ingresses = workloads.flatMap(({ ingress }) => (ingress ? [ingress] : []));
  return [
    ...hardeningObjects(input.projectId),
    ...platformServices(input),
    ...workloads.map(({ service }) => service),
    ...workloads.map(({ deployment }) => deployment),
    ...ingresses,
  ].map((object) => fenced(object, input.fence));
}

/** The compute's own objects: what must exist before anything can be asked of the data. */
export function renderCompute(input: RenderInput): readonly KubeObject[] {
  const { service, deployment } = workloadObjects(computeWorkload(input));
  return [service, deployment].map((object) => fenced(object, input.fence));
}

export function fenced(object: KubeObject, fence: number): KubeObject {
  return { ...object, metadata: { ...object.metadata, annotations: { ...object.metadata.annotations, [names.FENCE]: String(fence) } } };
}

/** The Deployments of a declared state with what they require, for `deployOrder`. */
export function deployables(declared: Declared, registry: ServiceRegistry): readonly Deployable[] {
  return [
    { name: COMPUTE, requires: [] },
    ...registry.declared(declared.services).map((service) => ({ name: service.id, requires: service.requires })),
    ...sortedApps(declared).map((app) => ({ name: names.appName(app), requires: APP_SERVICES[effectiveKind(app, declared.services)] })),
  ];
}

export function tiersOf(declared: Declared, registry: ServiceRegistry): readonly (readonly string[])[] {
  return deployOrder(deployables(declared, registry), registry);
}

export function hostOf(input: Pick<RenderInput, 'projectId' | 'previewDomain'>, name: string): string {
  return `${name}-${input.projectId}.${input.previewDomain}`;
}

function sortedApps(declared: Declared): readonly DeclaredApp[] {
  const apps = [...declared.apps].sort((a, b) => (a.slug < b.slug ? -1 : 1));
  const seen = new Set<string>();
  for (const app of apps) {
    const name = names.appName(app);
    if (seen.has(name)) throw new AdorableError('InvariantViolated', `Two declared apps would share the Deployment ${name}.`);
    seen.add(name);
  }
  return apps;
}

function replicasOf({ replicas }: RenderInput, name: string): number {
  if (replicas === 'running') return 1;
  const unnamed = name === COMPUTE ? 1 : 0;
  return replicas === 'stopped' ? unnamed : (replicas[name] ?? unnamed);
}

function checksumOf({ envChecksums }: RenderInput, name: string): Record<string, string> {
  return { [names.ENV_CHECKSUM]: envChecksums[name] ?? 'none' };
}

function computeWorkload(input: RenderInput): Workload {
  const { projectId, tenantId, timelineId } = input;
  return {
    projectId, name: COMPUTE, component: 'compute', owner: { label: names.SERVICE_LABEL, id: 'postgres' },
    image: 'adorable.dev/compute:17', port: names.COMPUTE_PORT, replicas: replicasOf(input, COMPUTE),
    // Fence and logins come from the endpoint's configuration, so that neither restarts it.
    env: [
      { name: 'PORT', value: String(names.COMPUTE_PORT) },
      { name: 'POD_NAME', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.name' } } },
      { name: 'ROLES_JSON', valueFrom: { secretKeyRef: { name: names.ROLES_SECRET, key: names.ROLES_KEY } } },
      { name: 'TENANT_ID', value: tenantId },
      { name: 'TIMELINE_ID', value: timelineId },
      { name: 'TIMELINE_SERVER', value: input.timelineServerUrl },
    ],
    envFrom: [names.COMPUTE_SECRET],
    // Roles change while it runs, without a restart: only what it reads at start alone is in the checksum.
    annotations: { [names.TIMELINE]: timelineId, ...checksumOf(input, COMPUTE) },
    probes: {
      startupProbe: { tcpSocket: { port: 'main' }, periodSeconds: 1, timeoutSeconds: 2, failureThreshold: 120 },
      // Written once roles are right and logins are let in: an open port alone says less.
      readinessProbe: { exec: { command: ['/bin/sh', '-c', 'test -e "$SCRATCH/ready"'] }, periodSeconds: 1, timeoutSeconds: 2, failureThreshold: 3 },
    },
    resources: { requests: { cpu: '20m', memory: '64Mi' }, limits: { memory: '1Gi' } },
    graceSeconds: 60, usesDatabase: false,
  };
}

function serviceWorkloads(input: RenderInput): readonly Workload[] {
  const { projectId, declared } = input;
  return input.registry.declared(declared.services).map((service): Workload => {
    const { httpGet, tcpSocket, exec, startupSeconds, periodSeconds, timeoutSeconds } = service.readyCheck;
    const check = httpGet ? { httpGet: { path: httpGet.path, port: httpGet.port } } : tcpSocket ? { tcpSocket } : { exec };
    return {
      projectId, name: service.id, component: 'service', owner: { label: names.SERVICE_LABEL, id: service.id },
      image: imageAt(service, declared.serviceVersions[service.id]), port: service.port, replicas: replicasOf(input, service.id),
      env: [{ name: 'PUBLIC_HOST', value: publicHost(input, service.id) }, ...toEnv(service.env)],
      envFrom: service.secrets.length > 0 ? [names.serviceSecretName(service.id)] : [],
      annotations: { [names.TIMELINE]: input.timelineId, ...checksumOf(input, service.id) },
      probes: probesOf(check, startupSeconds, { periodSeconds, timeoutSeconds }),
      resources: service.resources, graceSeconds: 30, usesDatabase: service.schema !== undefined,
      ...(service.exposes.ingress ? { host: hostOf(input, service.id) } : {}),
    };
  });
}

/** `react-frontend` and `trpc-api` are replayed here, once per app, by the app's effective kind. */
function appWorkloads(input: RenderInput): readonly Workload[] {
  const { projectId, declared } = input;
  const provided = providedVariables(input);
  return sortedApps(declared).map((app): Workload => {
    const name = names.appName(app);
    const kind = effectiveKind(app, declared.services);
    const host = hostOf(input, app.slug);
    // A declared app without files in the moment's tree: its pod says so.
    const tree = (Object.hasOwn(input.trees, app.fsDirName) ? input.trees[app.fsDirName] : undefined) ?? names.NO_TREE;
    // In env, not in the Secret: what comes from a Secret is not expanded.
    const database: readonly EnvVar[] = kind === 'fullstack' ? toEnv({
      PGHOST: '$(NEON_COMPUTE_SERVICE_HOST)', PGPORT: '$(NEON_COMPUTE_SERVICE_PORT)', PGDATABASE: names.DATABASE,
      DATABASE_URL: `postgres://$(PGUSER):$(PGPASSWORD)@$(NEON_COMPUTE_SERVICE_HOST):$(NEON_COMPUTE_SERVICE_PORT)/${names.DATABASE}`,
    }) : [];
    return {
      projectId, name, component: 'app', owner: { label: names.APP_LABEL, id: app.id },
      image: 'adorable.dev/app:1', port: names.APP_PORT, replicas: replicasOf(input, name),
      env: [
        ...toEnv({
          APP_ID: app.id, APP_KIND: kind, APP_SLUG: app.fsDirName, PORT: String(names.APP_PORT), PUBLIC_HOST: host,
          TREE: `${input.treesRoot}/${projectId}/trees/${tree}`,
        }),
        ...database,
        ...toEnv(provided),
      ],
      envFrom: kind === 'fullstack' ? [names.appSecretName(app.slug)] : [],
      annotations: { [names.TREE]: tree, [names.TIMELINE]: input.timelineId, ...checksumOf(input, name) },
      probes: probesOf({ httpGet: { path: '/healthz', port: names.APP_PORT } }, 60),
      resources: { requests: { cpu: '20m', memory: '128Mi' }, limits: { memory: '1Gi' } },
      graceSeconds: 10, usesDatabase: kind === 'fullstack', host,
    };
  });
}

function providedVariables(input: RenderInput): Readonly<Record<string, string>> {
  const provided: Record<string, string> = {};
  for (const service of input.registry.declared(input.declared.services)) {
    for (const [name, value] of Object.entries(service.provides)) {
      if (Object.hasOwn(provided, name)) throw new AdorableError('InvalidInput', `Two services of the project provide ${name}: rename one in its service.json.`);
      provided[name] = value.replaceAll('$(PUBLIC_HOST)', publicHost(input, service.id));
    }
  }
  return provided;
}

/** With the gateway's port: it becomes part of addresses that a browser opens. */
function publicHost(input: RenderInput, serviceId: string): string {
  return `${hostOf(input, serviceId)}${input.gatewayPort === 80 ? '' : `:${String(input.gatewayPort)}`}`;
}

/** Platform services lie outside the namespace; inside they have a name. */
function platformServices(input: RenderInput): readonly KubeObject[] {
  const external = (name: string, url: string): KubeObject => ({
    apiVersion: 'v1', kind: 'Service',
    metadata: { name, namespace: names.namespaceName(input.projectId), labels: names.labelsOf({ projectId: input.projectId, name, component: 'project' }) },
    spec: { type: 'ExternalName', externalName: new URL(url).hostname },
  });
  return [
    external('neon', input.timelineServerUrl),
    ...(input.declared.services.includes('s3') && input.s3Url !== undefined ? [external('s3', input.s3Url)] : []),
  ];
}

function toEnv(values: Readonly<Record<string, string>>): readonly EnvVar[] {
  return Object.entries(values).map(([name, value]) => ({ name, value }));
}
