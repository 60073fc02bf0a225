/** What the infra activities need from elsewhere: ports, so that a test has a small fake of each. */
import type { KubeClient } from '../../local/kube-client.ts';
import type { CheckpointId, ProjectId, TenantId, TimelineId, TreeHash } from '../../shared/ids.ts';
import type { DataActivities } from '../../shared/ports.ts';
import type { CatalogService } from '../../shared/services/catalog.ts';
import type { ServiceRegistry } from '../../shared/services/registry.ts';
import type { Declared } from '../../shared/spec/declared.ts';
import type { PlatformDatabase } from '../records/platform-database.ts';
import type { ProjectSecrets } from '../secrets/project-secrets.ts';
import type { SecretStore, SecretValues } from '../secrets/secret-store.ts';

export interface InfraSettings {
  /** Absolute directory that holds `<projectId>/trees/<tree>`. */
  readonly treesRoot: string;
  readonly previewDomain: string;
  readonly gatewayPort: number;
  readonly timelineServerUrl: string;
  readonly s3Url?: string;
}

/** The part of an activity's context that long waits use. */
export interface ActivityContext {
  heartbeat(detail?: unknown): void;
  readonly signal: AbortSignal;
}

export interface StepInput {
  readonly projectId: ProjectId;
  readonly service: CatalogService;
  /** Internal address of the service. */
  readonly url: string;
  readonly compute: { readonly host: string; readonly port: number };
  readonly env: SecretValues;
  readonly signal: AbortSignal;
}

export type ServiceStep = (input: StepInput) => Promise<void>;

export interface ComputeData extends Pick<DataActivities, 'repointCompute' | 'sealTimeline' | 'unsealTimeline'> {
  awaitLogins(input: { projectId: ProjectId; timelineId: TimelineId; logins: 'all' | 'admin'; timeoutMs: number }): Promise<void>;
  readEndpoint(projectId: ProjectId): Promise<{ readonly tenant_id: TenantId; readonly timeline_id: TimelineId }>;
}

export interface InfraDeps {
  readonly kube: KubeClient;
  readonly database: Pick<PlatformDatabase, 'query'>;
  readonly registry: ServiceRegistry;
  readonly secrets: ProjectSecrets;
  readonly secretStore: SecretStore;
  readonly data: ComputeData;
  readonly settings: InfraSettings;
  declaredOf(projectId: ProjectId, checkpointId: CheckpointId): Promise<Declared>;
  /** Each app's own tree in the project's, by its directory. */
  appTreesOf(projectId: ProjectId, tree: TreeHash): Promise<Readonly<Record<string, TreeHash>>>;
  /** Whether the gateway has nothing under way for the project and lets nothing in. */
  isDrained(projectId: ProjectId): Promise<boolean>;
  /** Steps that services name in `steps`. */
  readonly steps: Readonly<Record<string, ServiceStep>>;
  context?(): ActivityContext;
}
