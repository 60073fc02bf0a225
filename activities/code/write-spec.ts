/** Puts one text file into an index: `.adorable/spec.json` is the only file the runtime itself writes. */
import type { Repository } from './repository.ts';

export async function writeSpec(repository: Repository, index: string, path: string, text: string): Promise<void> {
  const blob = (await repository.git.run(['hash-object', '-w', '--stdin'], { input: text })).trim();
  await repository.git.run(['update-index', '--add', '--replace', '--cacheinfo', `100644,${blob},${path}`], { index });
}
