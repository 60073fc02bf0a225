/** Opens the typed client on a running embedded platform. */
import { join } from 'node:path';
import { createCodeActivities } from '../activities/code/create-code-activities.ts';
import { createTimelineClient } from '../activities/data/timeline-client.ts';
import type { TimelineClient } from '../activities/data/timeline-client.ts';
import { connectPlatform } from '../activities/records/platform-database.ts';
import type { PlatformDatabase } from '../activities/records/platform-database.ts';
import { loadCatalog } from '../activities/infra/catalog.ts';
import { architectByModel } from '../activities/model/model-architect.ts';
import { limitsOf, readModelSettings } from '../activities/model/settings.ts';
import { readPlanCatalog } from '../activities/producer/blueprints.ts';
import { containment, requireContained } from '../local/containment/containment.ts';
import { checkout } from '../local/engines/recipe.ts';
import { layout } from '../local/paths.ts';
import { readPlatform, readSecret } from '../local/platform.ts';
import type { Platform } from '../local/platform.ts';
import { platformSqlUrl } from '../local/postgres/cluster.ts';
import { architect } from '../shared/architect/architect.ts';
import { AdorableError } from '../shared/errors.ts';
import { createRuntime } from './runtime.ts';
import type { Runtime } from './runtime.ts';
import { connectTemporal } from './temporal.ts';
import type { TemporalGate } from './temporal.ts';
import type { Preview } from './reads.ts';

export interface OpenRuntime {
  readonly platform: Platform;
  readonly runtime: Runtime;
  readonly database: PlatformDatabase;
  readonly temporal: TemporalGate;
  readonly timelines: TimelineClient;
  readonly preview: Preview;
  close(): Promise<void>;
}

export async function openRuntime(dataDir: string, options: { readonly taskQueue?: string } = {}): Promise<OpenRuntime> {
  const platform = readPlatform(dataDir);
  const database = connectPlatform(platformSqlUrl(platform));
  try {
    await database.query('SELECT 1');
  } catch (cause) {
    await database.end();
    throw new AdorableError('NotRunning', `The platform in ${dataDir} does not answer: \`adorable up\` starts it, \`adorable status\` says what is down.`, { cause });
  }
  const temporal = await connectTemporal(`127.0.0.1:${String(platform.ports.temporal)}`, undefined, options.taskQueue);
  const unused = (what: string) => (): Promise<never> => Promise.reject(new AdorableError('InvariantViolated', `The client does not ${what}.`));
  const code = createCodeActivities({
    projectsDir: layout(dataDir).projects,
    produceAttempts: 1,
    producer: { canMend: () => false, produce: unused('produce'), check: unused('check') },
    records: { featuresOf: unused('generate'), declaredAfter: unused('generate') },
    ensureDeps: unused('install'),
    operationTime: unused('commit'),
  });
  const runtime = createRuntime({
    database, temporal,
    // Read when a plan is made: settings that are wrong keep nobody from an undo.
    catalog: async () => await readPlanCatalog(join(checkout, 'blueprints'), loadCatalog(), readModelSettings(process.env) !== undefined),
    architect: async (message, { project, catalog }) => {
      const settings = readModelSettings(process.env);
      if (settings === undefined) return architect(message, project, catalog.blueprints);
      // Before a plan is paid for that nothing here may build.
      requireContained(containment(platform.engines.contain));
      // Loaded for a sentence alone: no other command needs it.
      const { connectModel } = await import('../activities/model/adapters/ai.ts');
      return await architectByModel({ model: connectModel(settings), limits: limitsOf(settings) }, message, { project, catalog });
    },
    writePlanSpec: async ({ projectId, revisionId, plan }) => { await code.writePlanSpec({ projectId, revisionId, document: plan }); },
    readPlanSpec: async (input) => (await code.readPlanSpec(input)).document,
  });
  return {
    platform, runtime, database, temporal,
    timelines: createTimelineClient({ url: `http://127.0.0.1:${String(platform.ports.timeline)}`, token: readSecret(dataDir, 'timeline.token') }),
    preview: { domain: platform.previewDomain, port: platform.ports.gateway },
    close: async () => { await temporal.close(); await database.end(); },
  };
}
