/** Rows written through the app's API and by SQL while a project is undone and redone, on the real engines (I3). */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openRealEngines } from '../faults/real-engines.ts';
import type { RealEngines } from '../faults/real-engines.ts';
import { writeWhile } from '../faults/writer.ts';

let engines: RealEngines;
beforeAll(async () => { engines = await openRealEngines(); }, 900_000);
afterAll(async () => { await engines.close(); }, 60_000);

test('rows written all the while: every acknowledged one is kept, none twice', async () => {
  expect(await writeWhile(engines)).toEqual([]);
}, 240_000);
