/**
 * The same ten messages where a recorded model plans and writes everything: structured output, the
 * producer's tools, containment and budget on the real engines. No blueprint takes part, and the key is nowhere.
 */
import { afterAll, expect, test } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { listRuns } from '../../client/reads.ts';
import { KEY, startModelServer } from '../support/model-server.ts';
import type { ModelServer } from '../support/model-server.ts';
import { startPlatform } from '../support/platform.ts';
import { playStory } from '../support/recorded-story.ts';
import { tellTenMessages } from '../support/tell-ten-messages.ts';
import { MESSAGES } from '../support/ten-messages.ts';

let server: ModelServer;

const told = tellTenMessages(async () => {
  server = await startModelServer({}, playStory);
  Object.assign(process.env, { ADORABLE_MODEL_URL: server.settings.url, ADORABLE_MODEL_KEY: KEY, ADORABLE_MODEL_NAME: server.settings.name, ADORABLE_MODEL_PRICES: '3/15', ADORABLE_MODEL_COST: '2' });
  return await startPlatform({ directus: true, own: true });
}, { back: 1 });
afterAll(async () => { await server.close(); });

test('the model made all of it, was asked with the key, and what it cost is in each operation\'s row', async () => {
  const { platform, projectId } = told();
  expect(server.asked.length).toBeGreaterThan(MESSAGES.length * 3);
  expect(new Set(server.asked.map(({ authorization }) => authorization))).toEqual(new Set([`Bearer ${KEY}`]));
  const made = await platform.open.database.query<{ blueprint: string }>('SELECT DISTINCT blueprint FROM plan_subtasks JOIN plan_revisions ON plan_revisions.id = revision_id WHERE project_id = $1', [projectId]);
  expect(made).toEqual([{ blueprint: 'model' }]);
  // Each answer is counted with 99 tokens of question and one of answer.
  const paid = (await listRuns(platform.open.database, platform.open.temporal, projectId)).flatMap(({ kind, model }) => (kind === 'generate' && model !== undefined ? [model] : []));
  expect(paid).toHaveLength(MESSAGES.length);
  expect(paid.filter(({ tokens, cost }) => tokens < 200 || Math.abs(cost - tokens / 100 * (99 * 3 + 15) / 1e6) > 1e-9)).toEqual([]);
});

test('the key is in no log, no file of the project and no history', async () => {
  const { platform, projectId } = told();
  const files = readdirSync(platform.data, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile() && !entry.parentPath.includes('/node_modules')).map((entry) => join(entry.parentPath, entry.name));
  expect(files.filter((file) => readFileSync(file).includes(KEY))).toEqual([]);
  expect(files.some((file) => file.includes(projectId)) && files.some((file) => file.endsWith('temporal.db'))).toBe(true);
});
