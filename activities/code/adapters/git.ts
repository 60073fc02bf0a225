/**
 * What git is called with: plumbing, in an environment that holds nothing of the user's (no config,
 * hooks, prompts or locale), with the repository named explicitly, so that no call can find another
 * project's (I8). Bytes that git prints never reach an error text whole.
 */
import { AdorableError } from '../../../shared/errors.ts';
import type { FailureType } from '../../../shared/errors.ts';
import { inGitProcess } from './git-process.ts';
import type { GitAnswer } from './git-process.ts';

export interface GitOptions {
  /** A private index; without it git uses the repository's own. */
  readonly index?: string;
  /** Another work tree than the repository's. */
  readonly workTree?: string;
  /** Author and committer date: fixed by the operation, so that a repeat makes the same commit. */
  readonly date?: Date;
  readonly input?: string;
}

export interface Git {
  run(args: readonly string[], options?: GitOptions): Promise<string>;
  /** Output without its line end, or undefined when git says no (exit code 1, nothing printed). */
  probe(args: readonly string[], options?: GitOptions): Promise<string | undefined>;
  /** Output as it is, where it need not be text. */
  bytes(args: readonly string[], options?: GitOptions): Promise<Buffer>;
}

const IDENTITY = { name: 'Adorable Runtime', email: 'runtime@adorable.dev' };

export function createGit(gitDir: string, workTree: string): Git {
  const call = async (args: readonly string[], options: GitOptions, bytes: boolean): Promise<GitAnswer> =>
    await inGitProcess({ baseDir: options.workTree ?? workTree, args, env: environment(gitDir, options.workTree ?? workTree, options), input: options.input ?? '', bytes });
  return {
    async run(args, options = {}) {
      const answer = await call(args, options, false);
      if ('text' in answer) return answer.text;
      throw toFailure(args[0] ?? '', answer);
    },
    async bytes(args, options = {}) {
      const answer = await call(args, options, true);
      if ('bytes' in answer) return Buffer.from(answer.bytes);
      throw toFailure(args[0] ?? '', answer);
    },
    async probe(args, options = {}) {
      const answer = await call(args, options, false);
      if ('text' in answer) return answer.text.trimEnd();
      if ('exitCode' in answer && answer.exitCode === 1 && answer.output === '') return undefined;
      throw toFailure(args[0] ?? '', answer);
    },
  };
}

function environment(gitDir: string, workTree: string, options: GitOptions): Record<string, string> {
  const date = options.date === undefined ? {} : dates(options.date);
  return {
    PATH: process.env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin',
    HOME: '/nonexistent',
    LC_ALL: 'C',
    TZ: 'UTC',
    // A directory that is named is used as it is: no search upwards, no check of who owns it.
    GIT_DIR: gitDir,
    GIT_WORK_TREE: workTree,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_SYSTEM: '/dev/null',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_ATTR_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_NO_REPLACE_OBJECTS: '1',
    GIT_AUTHOR_NAME: IDENTITY.name,
    GIT_AUTHOR_EMAIL: IDENTITY.email,
    GIT_COMMITTER_NAME: IDENTITY.name,
    GIT_COMMITTER_EMAIL: IDENTITY.email,
    ...date,
    ...(options.index === undefined ? {} : { GIT_INDEX_FILE: options.index }),
  };
}

function dates(date: Date): Record<string, string> {
  const text = `${String(Math.floor(date.getTime() / 1000))} +0000`;
  return { GIT_AUTHOR_DATE: text, GIT_COMMITTER_DATE: text };
}

const FAILURE_TABLE: readonly (readonly [RegExp, FailureType, string])[] = [
  [/ENOENT|EACCES.*spawn/, 'EngineUnavailable', 'git was not found on PATH: install git 2.34 or later'],
  [/cannot lock ref .*refs\/adorable\/fence/, 'StaleFence', 'a newer operation owns this repository: nothing was written'],
  [/cannot lock ref .*(is at|unable to resolve|reference already exists|but expected)/s, 'Contended', 'a ref moved meanwhile: try again'],
  [/Unable to create '.*\.lock'|File exists/, 'Contended', 'another git process holds a lock in this repository: end it, or wait for it'],
  [/No space left|Disk quota/i, 'Unavailable', 'the disk is full: free some space'],
  [/not a valid object name|bad object|unable to read tree|failed to unpack tree object|missing (blob|tree|commit)|not a tree object|bad revision/i, 'Unreachable', 'the repository has no such commit or tree'],
  [/not a git repository/i, 'NotFound', 'the project has no repository'],
  [/Permission denied/i, 'Denied', 'the runtime may not read or write a file of the worktree: give it back its rights'],
];

function toFailure(verb: string, result: GitAnswer): AdorableError {
  if (!('exitCode' in result)) return new AdorableError('InvariantViolated', `git ${verb} could not be called.`, { cause: new Error('why' in result ? result.why : 'an answer of another form') });
  const row = FAILURE_TABLE.find(([pattern]) => pattern.test(result.output));
  // Two lines say what failed; more could be the content of somebody's file.
  const said = result.output.split('\n').filter((line) => /^(fatal|error):/.test(line)).slice(0, 2).join(' ').slice(0, 300);
  const details = { verb, exitCode: result.exitCode, git: said };
  if (row !== undefined) return new AdorableError(row[1], `git ${verb}: ${row[2]}.`, { details });
  return new AdorableError('Unclassified', `git ${verb} failed with exit code ${String(result.exitCode)}: ${said || 'it said nothing'}.`, { details });
}
