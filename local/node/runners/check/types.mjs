/** `tsc --noEmit`, without a cache in the tree, by TypeScript's native compiler; the files it read are checked against the app's tree too. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';

export async function checkTypes(subject) {
  if (!existsSync(join(subject.dir, 'tsconfig.json'))) {
    return [{ kind: 'type', file: subject.name(subject.dir), line: 1, message: 'the app has no tsconfig.json' }];
  }
  const { code, output } = await run(process.execPath, [join(subject.deps, 'typescript/bin/tsc'), '--noEmit', '--strict', '--incremental', 'false', '--composite', 'false', '--listFiles', '--pretty', 'false', '-p', '.'], subject.dir);
  const errors = [];
  for (const line of output.split('\n')) {
    const [, file, row, message] = /^(\S[^(]*)\((\d+),\d+\): error (.+)$/.exec(line) ?? [];
    if (file) errors.push({ kind: 'type', file: subject.name(resolve(subject.dir, file)), line: Number(row), message });
    else if (/^error TS/.test(line)) errors.push({ kind: 'type', file: subject.name(join(subject.dir, 'tsconfig.json')), line: 1, message: line.slice(6) });
    else if (isAbsolute(line) && !subject.inside(line)) {
      errors.push({ kind: 'isolation', file: subject.name(line), line: 1, message: "the type-checker read this file outside the app's own tree" });
    }
  }
  if (code !== 0 && errors.length === 0) {
    errors.push({ kind: 'type', file: subject.name(subject.dir), line: 1, message: `tsc failed with ${code}: ${output.slice(-300).trim()}` });
  }
  return errors;
}

async function run(command, args, cwd) {
  const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  child.stdout.on('data', (chunk) => (output += chunk));
  child.stderr.on('data', (chunk) => (output += chunk));
  const code = await new Promise((done, fail) => child.once('close', done).once('error', fail));
  return { code, output };
}
