/**
 * The one file that runs git, through simple-git: a process of its own, that a large one asks over IPC
 * (`git-process.ts`). It ends with whoever started it; a git that runs then comes to its own end.
 */
import { simpleGit } from 'simple-git';
import type { GitAnswer, GitCall, Numbered } from './git-process.ts';

const CONFIG = [
  'core.hooksPath=/dev/null',
  'core.fsmonitor=false',
  'core.untrackedCache=false',
  'core.attributesFile=/dev/null',
  'core.excludesFile=/dev/null',
  'core.autocrlf=false',
  'core.quotePath=false',
  'core.protectHFS=true',
  'core.protectNTFS=true',
  // A moment that was acknowledged is on disk; batch makes that one flush for many objects.
  'core.fsync=committed,reference',
  'core.fsyncMethod=batch',
  'advice.addEmbeddedRepo=false',
  'gc.auto=0',
];

async function answer({ baseDir, args, env, input, bytes }: GitCall): Promise<GitAnswer> {
  const chunks: Buffer[] = [];
  let failed: GitAnswer | undefined;
  try {
    const git = simpleGit({
      baseDir,
      config: CONFIG,
      allowEnvironment: Object.keys(env),
      unsafe: { allowUnsafeHooksPath: true, allowUnsafeConfigPaths: true, allowUnsafeFsMonitor: true, allowUnsafeTemplateDir: true },
      completion: { onClose: true, onExit: false },
      // Always given, even when empty: without it a command that reads stdin would wait for ever.
      input: () => Buffer.from(input),
      errors: (error, result) => {
        if (result.exitCode === 0) return undefined;
        failed = { exitCode: result.exitCode, output: Buffer.concat([...result.stdErr, ...result.stdOut]).toString('utf8') };
        return error instanceof Error ? error : new Error('git failed');
      },
    })
      .env({ ...env })
      // simple-git waits 50 ms more for a command that printed nothing, as most plumbing does.
      .outputHandler((_command, stdout) => {
        if (bytes) stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
        stdout.on('end', () => stdout.emit('data', Buffer.alloc(0)));
      });
    const text = await git.raw([...args]);
    return bytes ? { bytes: Buffer.concat(chunks) } : { text };
  } catch (error) {
    return failed ?? { why: error instanceof Error ? error.message : String(error) };
  }
}

process.on('message', ({ id, message }: Numbered<GitCall>) => {
  void answer(message).then((said) => { process.send?.({ id, message: said } satisfies Numbered<GitAnswer>); });
});
process.once('disconnect', () => { process.exit(0); });
// A signal to the whole group is its parent's to answer: what runs is not cut short by it.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
