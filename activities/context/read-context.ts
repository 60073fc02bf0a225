/** The context of one bucket, from the objects of the commit that its operation starts from. */
import { join } from 'node:path';
import { readBlobs, readTreeBlobs } from '../code/read-blobs.ts';
import type { Repository } from '../code/repository.ts';
import type { DeclaredApp } from '../../shared/spec/declared.ts';
import { buildIndex, toText } from './code-index.ts';
import { gatherContext, requireTarget } from './gather-context.ts';
import type { ProducerContext } from './gather-context.ts';

export async function readContext(repository: Repository, input: { commit: string; apps: readonly DeclaredApp[]; targetAppId: string }): Promise<ProducerContext> {
  const { apps, targetAppId } = input;
  requireTarget(apps, targetAppId);
  const index = await buildIndex({
    cacheDir: join(repository.dir, 'index'),
    blobs: await readTreeBlobs(repository, input.commit),
    apps: apps.map(({ id, fsDirName }) => ({ id, dir: fsDirName })),
    targetAppId,
    readBlobs: (oids) => readBlobs(repository, oids),
    // Loaded when there is something to parse: the command line reads git too, and never does.
    parseModules: async (files) => await (await import('./adapters/typescript.ts')).parseModules(files),
  });
  const own = await readBlobs(repository, [...new Set(index.files.filter(({ appId }) => appId === targetAppId).map(({ oid }) => oid))]);
  return gatherContext({ apps, index, targetAppId, readText: (oid) => toText(own.get(oid)) });
}
