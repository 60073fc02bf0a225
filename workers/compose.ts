/**
 * The composition root: adapters, then activities, wired by the worker's settings. The only place
 * that knows them all; everything else depends on ports.
 */
import { join, relative, sep } from 'node:path';
import { readAppTrees } from '../activities/code/app-trees.ts';
import { linkDependencies } from '../activities/code/produce-app.ts';
import { createCodeActivities } from '../activities/code/create-code-activities.ts';
import { dropTrees } from '../activities/code/drop-trees.ts';
import { listLeftovers } from '../activities/code/list-leftovers.ts';
import { readHead as readCodeHead } from '../activities/code/read-code.ts';
import { readHeldMoment } from '../activities/code/read-held-moment.ts';
import { readMigrations, readSeeds } from '../activities/code/read-app-files.ts';
import { createDataActivities, createTimelineClient } from '../activities/data/index.ts';
import { listBranches } from '../activities/data/list-branches.ts';
import { isReachable } from '../activities/data/reachable.ts';
import { createDrainProbe, createInfraActivities, SERVICE_STEPS } from '../activities/infra/index.ts';
import { loadCatalog } from '../activities/infra/catalog.ts';
import { readPlanCatalog } from '../activities/producer/blueprints.ts';
import { connectModel } from '../activities/model/adapters/ai.ts';
import { limitsOf } from '../activities/model/settings.ts';
import { createModelProducer } from '../activities/model/model-producer.ts';
import { createDispatch } from '../activities/producer/dispatch.ts';
import { createEnsureDeps } from '../activities/producer/deps.ts';
import { createProducer } from '../activities/producer/producer.ts';
import type { Contain } from '../activities/producer/run-check.ts';
import { readEvidence } from '../activities/records/checkpoint-evidence.ts';
import { createRecordsActivities } from '../activities/records/index.ts';
import { declaredAfter } from '../activities/records/generation.ts';
import { featuresOf } from '../activities/records/plan-revisions.ts';
import { spendOnModel } from '../activities/records/model-spending.ts';
import { connectPlatform } from '../activities/records/platform-database.ts';
import { createSweepRecords, readRoots } from '../activities/records/read-roots.ts';
import { declaredByRows, isOfGeneration, readCheckpoint, readProject, toRecordedMoment } from '../activities/records/rows.ts';
import { createRuns } from '../activities/runs/push-run.ts';
import { createProjectSecrets, createSeal, createSecretStore } from '../activities/secrets/index.ts';
import { createPlanSweep } from '../activities/sweep/plan-sweep.ts';
import { createVerifyCheckpoint } from '../activities/verify/verify-checkpoint.ts';
import { createVerifyActivities } from '../activities/verify/verify-moment.ts';
import { connectTemporal } from '../client/temporal.ts';
import { containment, requireContained } from '../local/containment/containment.ts';
import { containedCommand } from '../local/containment/reach.ts';
import { fillSlot } from '../local/engines/slot.ts';
import { checkout } from '../local/engines/recipe.ts';
import { connectKube } from '../local/kube-client.ts';
import { cacheDir, layout } from '../local/paths.ts';
import { computeToken } from '../local/timeline/access.ts';
import { isRoot, NOBODY_UID, projectUid } from '../local/uids.ts';
import { changedTables } from '../shared/restore/row-changes.ts';
import { isCodeDefinedService } from '../shared/services/built-ins.ts';
import type { Activities, SweepActivities } from '../shared/ports.ts';
import type { WorkerConfig } from './config.ts';
import { parseCheckpointId, parseProjectId } from '../shared/ids.ts';
import type { CheckpointId, CommitSha, OperationId, ProjectId, RevisionId } from '../shared/ids.ts';
import { AdorableError } from '../shared/errors.ts';

export interface Composition {
  readonly activities: Activities & SweepActivities;
  close(): Promise<void>;
}

export function compose(config: WorkerConfig, signals: { heartbeat(): void; signal(): AbortSignal; report?(progress: unknown): void }, kube = connectKube(config.kubeconfig)): Composition {
  const paths = layout(config.dataDir);
  const contain = containOf(config);
  const database = connectPlatform(config.databaseUrl);
  const registry = loadCatalog(join(checkout, 'config', 'services'));
  const timelines = createTimelineClient(config.timelines);
  const store = createSecretStore({ database, seal: createSeal(config.masterKey) });
  const secrets = createProjectSecrets({ store, registry, computeToken: (projectId) => computeToken(config.timelines.token, projectId) });

  const declaredNow = async (projectId: ProjectId) => await declaredByRows(database, await readProject(database, projectId));
  const declaredOf = async (projectId: ProjectId, checkpointId: CheckpointId) => (await readCheckpoint(database, projectId, checkpointId)).declared;
  const operationTime = async (operationId: OperationId): Promise<Date> => {
    const [row] = await database.query<{ started_at: Date }>('SELECT started_at FROM operations WHERE id = $1', [operationId]);
    if (row === undefined) throw new AdorableError('NotFound', `No operation ${operationId}.`);
    return row.started_at;
  };

  const generation = {
    database,
    readPlan: (input: { projectId: ProjectId; revisionId: RevisionId; commit?: CommitSha }) => code.readPlanSpec(input),
    catalog: () => readPlanCatalog(join(checkout, 'blueprints'), registry, config.model !== undefined),
    serviceVersion: (id: string) => registry.find(id)?.version,
  };
  const ensureDeps = createEnsureDeps({
    depsDir: paths.deps, cacheDir: cacheDir(), prebundler: join(paths.runners, 'app', 'prebundle.mjs'), node: config.node, contain,
    uid: isRoot ? NOBODY_UID : undefined,
    fillSlot: (slot, build) => fillSlot(slot, () => undefined, build),
  });
  const blueprints = createProducer({
    blueprintsDir: join(checkout, 'blueprints'),
    checkRunner: join(paths.runners, 'check', 'main.mjs'),
    node: config.node,
    contain,
    checkUid: (scratchDir) => projectUid(config.dataDir, projectOf(paths.projects, scratchDir), 'app'),
    heartbeat: signals.heartbeat,
    signal: signals.signal,
  });
  const model = config.model === undefined ? undefined : createModelProducer({
    model: connectModel(config.model),
    limits: limitsOf(config.model),
    blueprintsDir: join(checkout, 'blueprints'),
    requireContained: () => { requireContained(containment(config.contain)); },
    spend: (operationId, more) => spendOnModel(database, operationId, more),
    check: async (scratchDir, slug) => {
      await linkDependencies({ ensureDeps }, join(scratchDir, 'apps', slug));
      await blueprints.check({ scratchDir, slug });
    },
    onProgress: (progress) => { signals.report?.(progress); },
    signal: signals.signal,
  });
  const code = createCodeActivities({
    projectsDir: paths.projects,
    produceAttempts: config.produceAttempts,
    producer: createDispatch({ blueprints, model }),
    records: { featuresOf: (revisionId, featureIds) => featuresOf(database, revisionId, featureIds), declaredAfter: (revisionId) => declaredAfter(generation, revisionId) },
    ensureDeps,
    operationTime,
  });

  const readHead = (projectId: ProjectId) => readCodeHead({ projectsDir: paths.projects }, { projectId });

  const data = createDataActivities({
    timelines,
    computeAddress: (projectId) => infra.computeAddress(projectId),
    adminPassword: (projectId) => secrets.adminPassword(projectId),
    computeRoles: async (projectId) => secrets.computeRoles(projectId, await declaredNow(projectId)),
    readMigrations: async (projectId, moment) => {
      const checkpoint = await readCheckpoint(database, projectId, moment.checkpointId);
      const { declared } = checkpoint;
      // Going somewhere else in time moves the data itself; only what generates, or goes back from it, seeds.
      const seeding = await isOfGeneration(database, checkpoint);
      return await Promise.all(declared.apps.map(async ({ id, fsDirName }) => {
        const at = { projectId, tree: moment.tree, fsDirName };
        return { appId: id, revision: declared.revisionId, migrations: await readMigrations(paths.projects, at), seeds: seeding ? await readSeeds(paths.projects, at) : [] };
      }));
    },
  });
  const infra = createInfraActivities({
    kube, database, registry, secrets, secretStore: store, declaredOf,
    appTreesOf: (projectId, tree) => readAppTrees(paths.projects, { projectId, tree }),
    data: { ...data, readEndpoint: (projectId) => timelines.readEndpoint(projectId) },
    settings: { treesRoot: paths.projects, previewDomain: config.preview.domain, gatewayPort: config.preview.port, timelineServerUrl: config.timelines.url },
    isDrained: createDrainProbe(config.preview.port),
    steps: SERVICE_STEPS,
    context: () => ({ heartbeat: signals.heartbeat, signal: signals.signal() }),
  });
  const records = createRecordsActivities({
    ...generation,
    readHead,
    isCodeDefinedService,
    uncoveredState: (id) => registry.find(id)?.uncovered.map(({ what, why }) => `${id}: ${what} (${why})`).join('; ') || undefined,
    codeChange: async (projectId, from, to) => ({
      commitsLeft: (await code.commitsBetween({ projectId, from: to.commit, to: from.commit })).length,
      apps: (await code.diffTrees({ projectId, from: from.tree, to: to.tree })).filter((diff) => diff.app !== '').map(({ app, added, changed, deleted }) => ({ slug: app, added, changed, deleted })),
    }),
    rowChanges: async (projectId, target, names) => {
      const [now, then] = await Promise.all([data.countRowsByTable({ projectId }), timelines.inspect(target.tenantId, target.timelineId, target.lsn)]);
      return { rows: changedTables(now, then.tables, names), prepared: then.prepared };
    },
    openTransactions: (projectId) => data.readOpenTransactions({ projectId }),
    surveyNamespace: (projectId, moments) => infra.surveyNamespace(projectId, moments),
    objectChanges: (projectId, moments) => infra.compareMoments(projectId, moments),
    readSchemaMarks: (projectId) => data.readSchemaMarks({ projectId }),
    readSecretVersions: (projectId) => store.readVersions(projectId),
    isReachable: (moment) => isReachable(timelines, moment),
    isHeld: async (projectId, { commit, tree }) => {
      const held = await readHeldMoment(paths.projects, { projectId, commit });
      return held.missing === undefined && held.tree === tree;
    },
  });
  const verifyCheckpoint = createVerifyCheckpoint({
    readRecorded: async (projectId, checkpointId) => {
      const row = await readCheckpoint(database, projectId, parseCheckpointId(checkpointId));
      return { moment: toRecordedMoment(row), declared: row.declared, schemaMarks: (await readEvidence(database, row.id)).schemaMarks };
    },
    readHeldMoment: (input) => readHeldMoment(paths.projects, input),
    inspect: async (moment) => (await timelines.inspect(moment.tenantId, moment.timelineId, moment.lsn)).tables,
    requireServices: (ids) => { registry.declared(ids); },
  });
  const verify = createVerifyActivities({
    readHead,
    readCode: (projectId) => code.readCode({ projectId }),
    declaredOf, declaredNow,
    readEndpoint: (projectId) => timelines.readEndpoint(projectId),
    proveServing: (input) => data.proveServing(input),
    readNamespace: (input) => infra.readNamespace(input),
    openTransactions: (input) => data.readOpenTransactions(input),
    dataDigest: (input) => data.dataDigest(input),
    secretVersions: (projectId) => store.readVersions(projectId),
  });

  const sweeping: SweepActivities = {
    ...createSweepRecords({ database }),
    ...createPlanSweep({
      readRoots: (projectId) => readRoots(database, projectId),
      listBranches: (input) => listBranches(timelines, input),
      listLeftovers: (projectId) => listLeftovers(paths.projects, projectId),
      readCurrentMoment: (input) => records.readCurrentMoment(input),
      declaredNow,
      readServed: (input) => infra.readServed(input),
    }),
    dropTrees: (input) => dropTrees(paths.projects, input),
  };

  const runs = createRuns(() => connectTemporal(config.temporal.address, config.temporal.namespace));

  return {
    activities: { ...records, ...code, ...data, ...infra, ...verify, ...verifyCheckpoint, ...sweeping, ...runs.activities },
    close: async () => { await runs.close(); await kube.close(); await database.end(); },
  };
}

/** Checks need no network. */
function containOf({ contain: helper }: WorkerConfig): Contain | undefined {
  if (helper === undefined || containment(helper).landlock === undefined) return undefined;
  return (reach, command) => containedCommand(helper, { ...reach, connect: [], bind: [] }, command);
}

/** `DATA/projects/<id>/scratch/…` names its project. */
function projectOf(projectsDir: string, path: string): ProjectId {
  return parseProjectId(relative(projectsDir, path).split(sep)[0]);
}
