/**
 * The receipt: every store read back against one moment (I1). Nothing here is echoed from a step
 * that claimed it; git, the database, the rows and the Kubernetes API speak for themselves.
 */
import { createHash } from 'node:crypto';
import type { CheckpointId, ProjectId } from '../../shared/ids.ts';
import type { Moment } from '../../shared/moment.ts';
import type { CommitPoint, VerifyActivities } from '../../shared/ports.ts';
import { inDoubt } from '../../shared/restore/open-transactions.ts';
import type { OpenTransactions } from '../../shared/restore/open-transactions.ts';
import type { Difference, Receipt } from '../../shared/restore/plan.ts';
import type { Declared } from '../../shared/spec/declared.ts';
import { kindDrift } from '../../shared/spec/kind-drift.ts';
import { effectiveKind } from '../../shared/spec/project-spec.ts';
import { AdorableError } from '../../shared/errors.ts';

export interface LiveNamespace {
  /** `Kind/name` → UID of every object of this project's inventory that lives. */
  readonly objects: Readonly<Record<string, string>>;
  readonly differences: readonly Difference[];
  /** Objects of others, by name. */
  readonly foreign: readonly string[];
  /** Of what the moment renders, without what no moment consists of. */
  readonly manifestDigest: string;
}

export interface VerifyDeps {
  readonly readHead: (projectId: ProjectId) => Promise<CommitPoint>;
  /** HEAD, and whether the worktree is it: looks at every file. */
  readonly readCode: (projectId: ProjectId) => Promise<CommitPoint & { clean: boolean }>;
  readonly declaredOf: (projectId: ProjectId, checkpointId: CheckpointId) => Promise<Declared>;
  readonly declaredNow: (projectId: ProjectId) => Promise<Declared>;
  readonly readEndpoint: (projectId: ProjectId) => Promise<{ timeline_id: string }>;
  readonly proveServing: (input: { projectId: ProjectId; timelineId: Moment['timelineId'] }) => Promise<{ pgTimelineId: number; proof: string }>;
  readonly readNamespace: (input: { projectId: ProjectId; moment: Moment; running: boolean }) => Promise<LiveNamespace>;
  readonly openTransactions: (input: { projectId: ProjectId }) => Promise<OpenTransactions>;
  readonly dataDigest: (input: { projectId: ProjectId }) => Promise<{ digest: string }>;
  readonly secretVersions: (projectId: ProjectId) => Promise<Readonly<Record<string, number>>>;
}

export function createVerifyActivities(deps: VerifyDeps): Pick<VerifyActivities, 'verifyMoment'> {
  return {
    async verifyMoment({ projectId, moment, running }): Promise<Receipt> {
      const [head, declared, now, endpoint, served, namespace, secretVersions] = await Promise.all([
        // What a person saves while an operation runs is kept, and is the next operation's to commit.
        running ? deps.readCode(projectId) : deps.readHead(projectId).then((point) => ({ ...point, clean: true })),
        deps.declaredOf(projectId, moment.checkpointId),
        deps.declaredNow(projectId),
        deps.readEndpoint(projectId),
        proven(deps, projectId, moment),
        deps.readNamespace({ projectId, moment, running }),
        deps.secretVersions(projectId),
      ]);
      const differences: Difference[] = [
        ...difference('git', "HEAD's tree", moment.tree, head.tree),
        ...difference('git', 'the worktree', 'clean', head.clean ? 'clean' : 'changed'),
        ...difference('timeline', "the endpoint's timeline", moment.timelineId, endpoint.timeline_id),
        ...served.differences,
        ...difference('rows', 'live apps', appsText(declared), appsText(now)),
        ...difference('rows', 'services', declared.services.join(', '), now.services.join(', ')),
        ...difference('rows', 'the plan revision', declared.revisionId ?? 'none', now.revisionId ?? 'none'),
        ...namespace.differences,
      ];
      const facts = {
        checkpointId: moment.checkpointId,
        commit: head.commit,
        tree: head.tree,
        timelineId: moment.timelineId,
        pgTimelineId: served.pgTimelineId,
        systemIdentifier: served.proof.split('/')[0] ?? '',
        apps: now.apps.map((app) => app.slug),
        services: now.services,
        objects: Object.keys(namespace.objects).length,
        objectsDigest: digestOf(namespace.objects),
        declaredDigest: digestOf(declared),
        secretVersions,
      };
      // A restore's own receipt, written while the gateway is closed, must not take as long as the data is large.
      const open = served.isServed ? await deps.openTransactions({ projectId }) : { prepared: [] };
      const names = new Map(now.apps.map((app) => [app.id as string, app.slug as string]));
      const data = running && served.isServed ? await digested(deps, projectId) : {};
      const digests = data.digest === undefined ? {} : { momentDigest: momentDigest({ tree: head.tree, declared: now, data: data.digest, manifests: namespace.manifestDigest }) };
      const noticed = [...namespace.foreign.map((ref) => `${ref} was made by someone else and is left alone`), ...open.prepared.map((one) => inDoubt(one, names)), ...(data.locked === undefined ? [] : [`rows are not digested: ${data.locked}`])];
      // Only on request: a running operation acts on what is derived.
      const drift = running ? kindDrift(now) : [];
      return { ...facts, ...digests, ...(drift.length === 0 ? {} : { drift }), ok: differences.length === 0, digest: digestOf(facts), differences, noticed };
    },
  };
}

interface MomentParts {
  readonly tree: string;
  readonly data: string;
  readonly declared: Declared;
  readonly manifests: string;
}

function momentDigest({ declared, ...parts }: MomentParts): string {
  const apps = declared.apps.map(({ slug, name, kind, isPrimary, fsDirName }) => ({ slug, name, kind, isPrimary, fsDirName })).sort((a, b) => (a.slug < b.slug ? -1 : 1));
  return digestOf({ ...parts, declared: { apps, services: [...declared.services].sort(), serviceVersions: declared.serviceVersions } });
}

/** The database's own words; a compute that serves something else, or that was deleted, is a difference; one that is away is retried. */
async function proven(deps: VerifyDeps, projectId: ProjectId, moment: Moment): Promise<{ pgTimelineId: number; proof: string; isServed: boolean; differences: Difference[] }> {
  try {
    return { ...(await deps.proveServing({ projectId, timelineId: moment.timelineId })), isServed: true, differences: [] };
  } catch (error) {
    if (!(error instanceof AdorableError) || (error.type !== 'VerifyFailed' && error.type !== 'PreconditionFailed')) throw error;
    return { pgTimelineId: 0, proof: '', isServed: false, differences: [{ store: 'timeline', what: 'the served database', expected: moment.timelineId, found: error.message }] };
  }
}

/** A table that somebody holds locked cannot be read, which says nothing of what is in it. */
async function digested(deps: VerifyDeps, projectId: ProjectId): Promise<{ digest?: string; locked?: string }> {
  try {
    return await deps.dataDigest({ projectId });
  } catch (error) {
    if (!(error instanceof AdorableError) || error.type !== 'Contended') throw error;
    return { locked: error.message };
  }
}

function difference(store: Difference['store'], what: string, expected: string, found: string): Difference[] {
  return expected === found ? [] : [{ store, what, expected, found }];
}

function appsText(declared: Declared): string {
  return declared.apps.map((app) => `${app.slug} ${app.id} ${effectiveKind(app, declared.services)}${app.isPrimary ? ' primary' : ''}`).sort().join(', ');
}

function digestOf(value: unknown): string {
  const sorted = (_key: string, inner: unknown): unknown =>
    inner !== null && typeof inner === 'object' && !Array.isArray(inner) ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1))) : inner;
  return createHash('sha256').update(JSON.stringify(value, sorted)).digest('hex');
}
