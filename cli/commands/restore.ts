/** `timeline`, `bookmark`, `restore`, `undo`, `redo`, `verify`: moving between moments. */
import type { Command } from 'commander';
import { readTimeline } from '../../client/reads.ts';
import type { TimelineEntry } from '../../client/reads.ts';
import { AdorableError } from '../../shared/errors.ts';
import { parseCheckpointId, parseProjectId } from '../../shared/ids.ts';
import type { RestoreMode } from '../../shared/moment.ts';
import { drawTree } from '../../shared/restore/draw-tree.ts';
import type { TreeLine } from '../../shared/restore/draw-tree.ts';
import type { CheckpointProof, Difference, RestorePlan, RowChange } from '../../shared/restore/plan.ts';
import { addCommand, clearWaiting, conclude, confirm, withRuntime } from '../context.ts';
import type { CommonOptions } from '../context.ts';
import { age } from '../output.ts';
import type { Output } from '../output.ts';

interface RestoreOptions extends CommonOptions {
  readonly mode?: string;
  readonly dryRun?: boolean;
  readonly expect?: string;
  readonly acceptDrift?: boolean;
  readonly yes?: boolean;
  readonly cancelWaiting?: boolean;
}

export function restoreCommands(program: Command): void {
  addCommand(program, 'timeline <project>', 'the tree of moments, the current one marked').action(async (project: string, options: CommonOptions) => {
    const projectId = parseProjectId(project);
    await withRuntime(options, async ({ database, timelines }, output) => {
      const entries = await readTimeline(database, projectId, timelines);
      output.result(entries, () => { for (const line of drawTree(entries)) output.line(momentText(line)); });
    });
  });

  addCommand(program, 'bookmark <project> <label>', 'record a checkpoint of the running project')
    .action(async (project: string, label: string, options: CommonOptions) => {
      const projectId = parseProjectId(project);
      if (label.length > 200) throw new AdorableError('InvalidInput', 'A label has at most 200 characters.');
      await withRuntime(options, async ({ runtime }, output) => { await conclude(await runtime.bookmark(projectId, label), output); });
    });

  const restoring = (nameAndArgs: string, description: string) => addCommand(program, nameAndArgs, description)
    .option('--dry-run', 'print the plan and change nothing')
    .option('--expect <digest>', 'refuse when anything moved since the plan with this digest')
    .option('--cancel-waiting', 'first take back a generation that waits for `resume`')
    .option('--yes', 'do not ask');

  restoring('restore <project> <target>', 'to a checkpoint id, `previous`, or `before:<app>`')
    .option('--mode <mode>', 'all, data or code', 'all')
    .option('--accept-drift', 'data or code alone, although that parts code and schema')
    .action((project: string, target: string, options: RestoreOptions) => restore(project, target, options));
  restoring('undo <project>', 'to the moment before the last generation').action((project: string, options: RestoreOptions) => restore(project, 'undo', options));
  restoring('redo <project>', 'back to the newest snapshot that an undo left').action((project: string, options: RestoreOptions) => restore(project, 'redo', options));

  addCommand(program, 'verify <project> [checkpoint]', 'read every store back and print the receipt; or prove that a past moment is restorable').action(async (project: string, checkpoint: string | undefined, options: CommonOptions) => {
    const projectId = parseProjectId(project);
    const checkpointId = checkpoint === undefined ? undefined : parseCheckpointId(checkpoint);
    await withRuntime(options, async ({ runtime }, output) => {
      if (checkpointId !== undefined) {
        const proof = await runtime.verifyCheckpoint(projectId, checkpointId);
        output.result(proof, () => { printProof(output, proof); });
        process.exitCode = proof.ok ? 0 : 1;
        return;
      }
      const receipt = await runtime.verify(projectId);
      output.result(receipt, () => {
        output.line(`${receipt.ok ? 'Every store holds' : 'The stores do not hold'} ${receipt.checkpointId}: tree ${receipt.tree.slice(0, 12)}, timeline ${receipt.timelineId} (PostgreSQL's ${String(receipt.pgTimelineId)}), apps [${receipt.apps.join(', ')}], services [${receipt.services.join(', ')}], ${String(receipt.objects)} objects, digest ${receipt.digest.slice(0, 16)}, moment ${(receipt.momentDigest ?? '').slice(0, 16)}`);
        const secrets = Object.entries(receipt.secretVersions ?? {});
        output.line(`  secrets: ${String(secrets.length)} in use${secrets.filter(([, version]) => version > 1).map(([name, version]) => `, ${name} at version ${String(version)}`).join('')}`);
        printDifferences(output, receipt.differences);
        for (const text of receipt.noticed) output.line(`  noticed: ${text}`);
        for (const { what, expected, found } of receipt.drift ?? []) output.line(`  drift: ${what} is ${found}, ${expected} is what is derived and used`);
      });
      process.exitCode = receipt.ok ? 0 : 1;
    });
  });
}

function momentText({ prefix, entry, aliases, current }: TreeLine<TimelineEntry>): string {
  const notes = [
    ...(entry.label === null ? [] : [entry.label]),
    ...(aliases.length === 0 ? [] : [`restored as ${aliases.map((alias) => alias.id).join(', ')}`]),
    ...(entry.reachable === false ? ['UNREACHABLE'] : entry.reachableUntil === null ? [] : [`until ${entry.reachableUntil}`]),
    ...(current ? ['current'] : []),
  ];
  return `${prefix}${current ? '●' : '○'} ${entry.id}  ${entry.kind.padEnd(14)} ${age(entry.createdAt).padStart(6)} ago  ${entry.commit.slice(0, 7)}  ${entry.lsn ?? ''}  [${entry.apps.join(', ')}]${notes.length === 0 ? '' : `  ${notes.join('; ')}`}`;
}

function printProof(output: Output, proof: CheckpointProof): void {
  output.line(`${proof.checkpointId} ${proof.ok ? 'can be restored' : 'can NOT be restored'}: tree ${proof.tree.slice(0, 12)} with ${String(proof.objects)} objects in git; ${String(proof.tables)} tables with ${String(proof.rows)} rows read at ${proof.lsn} on a throw-away fork; apps [${proof.apps.join(', ')}], services [${proof.services.join(', ')}]`);
  printDifferences(output, proof.differences);
}

function printDifferences(output: Output, differences: readonly Difference[]): void {
  for (const { store, what, expected, found } of differences) output.line(`  ${store}: ${what} is ${found}, not ${expected}`);
}

function parseMode(value: string | undefined): RestoreMode {
  if (value === undefined || value === 'all' || value === 'data' || value === 'code') return value ?? 'all';
  throw new AdorableError('InvalidInput', `${JSON.stringify(value)} is no mode: choose all, data or code.`);
}

async function restore(project: string, target: string, options: RestoreOptions): Promise<void> {
  const projectId = parseProjectId(project);
  const mode = parseMode(options.mode);
  await withRuntime(options, async (open, output) => {
    const { runtime } = open;
    if (options.dryRun !== true) await clearWaiting(open, projectId, options);
    const acceptDrift = options.acceptDrift === true;
    const plan = await runtime.planRestore(projectId, target, mode, acceptDrift);
    if (options.expect !== undefined && options.expect !== plan.digest) {
      throw new AdorableError('ExpectationFailed', `Something moved since plan ${options.expect} was made (it is ${plan.digest} now): nothing was changed; look at a new plan.`);
    }
    if (options.dryRun === true) {
      output.result(plan, () => { printPlan(output, plan); });
      return;
    }
    if (!output.json) printPlan(output, plan);
    if (!(await confirm('Restore?', options))) return;
    // What was shown is what is done: anything that moved in between is refused.
    await conclude(await runtime.restore(projectId, target, { mode, expect: plan.digest, acceptDrift }), output);
  });
}

export function printPlan(output: Output, plan: RestorePlan): void {
  output.line(`Restore (${plan.mode}) to ${plan.target.checkpointId} (${plan.targetKind}), plan ${plan.digest}`);
  const left = plan.code === undefined ? '' : `, ${String(plan.code.commitsLeft)} ${plan.code.commitsLeft === 1 ? 'commit stays' : 'commits stay'} in history`;
  output.line(`  git        ${plan.current.commit.slice(0, 7)} → ${plan.mode === 'data' ? 'stays' : `tree of ${plan.target.commit.slice(0, 7)}${left}`}`);
  for (const app of plan.code?.apps ?? []) output.line(`               apps/${app.slug}: ${String(app.deleted)} deleted, ${String(app.changed)} changed, ${String(app.added)} added`);
  output.line(`  timeline   ${plan.current.timelineId.slice(0, 8)} → ${plan.mode === 'code' ? 'stays' : `fork of ${plan.target.timelineId.slice(0, 8)} at ${plan.target.lsn}`}`);
  for (const row of plan.rows ?? []) if ((row.now ?? 0) + (row.then ?? 0) > 0) output.line(`               ${rowText(row)}`);
  const empty = (plan.rows ?? []).filter((row) => (row.now ?? 0) + (row.then ?? 0) === 0).length;
  if (empty > 0) output.line(`               and ${String(empty)} empty tables ${plan.rows?.some((row) => row.then === null) === true ? 'vanish' : 'appear'}`);
  for (const { owner, name, change } of plan.schemaChanges) output.line(`  schema     ${owner}: ${name} ${change}`);
  const list = (items: readonly string[]): string => (items.length === 0 ? 'none' : items.join(', '));
  output.line(`  rows       archive apps ${list(plan.archiveApps.map((app) => app.slug))}; reactivate ${list(plan.reactivateApps.map((app) => app.slug))}; ${String(plan.archiveRevisions)} plan revisions archived`);
  output.line(`  namespace  deprovision ${list(plan.deprovisionServices)}; provision ${list(plan.reprovisionServices)}`);
  if (plan.objects !== undefined) {
    for (const [what, refs] of Object.entries(plan.objects) as [string, readonly string[]][]) if (refs.length > 0) output.line(`               ${what} ${refs.join(', ')}`);
  }
  for (const { secret, then, now } of plan.revives) output.line(`  secrets    ${secret}: the branch knows version ${String(then)}, re-asserted as version ${String(now)}`);
  for (const text of plan.noticed) output.line(`  noticed    ${text}`);
  for (const text of plan.notCovered) output.line(`  not covered  ${text}`);
  output.line('  A pre-restore snapshot is taken first: `adorable redo` comes back to it.');
}

function rowText({ label, now, then }: RowChange): string {
  const count = (rows: number | null): string => (rows === null ? 'absent' : `${String(rows)} rows`);
  const lost = (now ?? 0) - (then ?? 0);
  return `${label}: ${count(now)} → ${count(then)}${lost > 0 ? `  (${String(lost)} lost)` : ''}`;
}
