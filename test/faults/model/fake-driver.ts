/** The fake world as a driver: the real workflows, on whichever bench, over stores that are plain values. */
import { ApplicationFailure } from '@temporalio/common';
import type { OperationOutcome, OperationRequest } from '../../../shared/contract/operation.ts';
import { materializedAppId } from '../../../shared/derive.ts';
import type { OperationId, ProjectId, RevisionId } from '../../../shared/ids.ts';
import { WorkerDied } from '../../support/bench.ts';
import type { Bench, BenchRun } from '../../support/bench.ts';
import { FakeWorld } from '../../support/fake-world.ts';
import type { Driver, Operation, Performed, Session, Trouble } from './driver.ts';

const NOTE = 'NOTES.md';
const SLUGS = ['ledger', 'board', 'blog'] as const;
let projects = 0;

export function createFakeDriver(bench: Bench): Driver {
  return {
    slugs: SLUGS, writable: new Set<string>(SLUGS), changesApps: true, troubles: ['cancel', 'kill the worker', 'terminate', 'fail for good'],
    async open() {
      projects += 1;
      const session = new FakeSession(bench, `m${projects.toString(36).padStart(9, '0')}` as ProjectId);
      await session.provision();
      return session;
    },
    close: () => bench.close(),
  };
}

class FakeSession implements Session {
  readonly first = 'op_00provision0' as OperationId;
  readonly #bench: Bench;
  readonly #world: FakeWorld;
  #operations = 0;

  constructor(bench: Bench, projectId: ProjectId) {
    this.#bench = bench;
    this.#world = FakeWorld.empty(projectId);
    bench.serve(projectId, this.#world);
  }

  async provision(): Promise<void> {
    await (await this.#start('provisionProject', this.first, { name: 'Home' })).result();
  }

  async perform(operation: Operation, troubles: readonly Trouble[]): Promise<Performed> {
    this.#operations += 1;
    const operationId = `op_${this.#operations.toString(36).padStart(12, '0')}` as OperationId;
    const started = Promise.withResolvers<BenchRun>();
    let calls = 0;
    this.#world.intercept = async ({ effect }) => {
      const trouble = troubles.find(({ at }) => at === calls);
      calls += 1;
      return trouble !== undefined ? await befall(trouble.what, effect, await started.promise) : await effect();
    };
    const run = await this.#launch(operation, operationId);
    started.resolve(run);
    const answer = await ended(run);
    this.#world.intercept = undefined;
    if ([...this.#world.operations.values()].some((row) => row.outcome === null)) {
      await (await this.#start('recoverProject', `op_r${operationId.slice(4)}` as OperationId)).result();
    }
    const outcome = this.#world.operations.get(operationId)?.outcome;
    return { operationId, outcome: outcome ?? 'unchanged', ...(answer?.failure === undefined ? {} : { failure: answer.failure }) };
  }

  write(slug: string, row: number): Promise<void> {
    return this.#world.write(slug, row) ? Promise.resolve() : Promise.reject(new Error(`${slug} refused row ${String(row)}`));
  }

  edit(note: string): Promise<void> {
    this.#world.edit(NOTE, note);
    return Promise.resolve();
  }

  look() {
    const { state } = this.#world;
    const live = this.#world.liveApps();
    const { rowsOf } = this.#world.data();
    const rows = live.flatMap(({ id }) => rowsOf(id)).sort((a, b) => a - b);
    return Promise.resolve({ apps: live.map(({ slug }) => slug).sort(), rows, note: (state.dirty ?? this.#world.files())[NOTE] ?? null });
  }

  async problems(): Promise<readonly string[]> {
    const { projectId, state } = this.#world;
    const moment = this.#world.here();
    if (moment === null) return ['the project has no position'];
    const { differences } = await this.#world.activities().verifyMoment({ projectId, moment, running: true });
    const closed = [...(state.gateway === 'open' ? [] : ['the gateway is not open']), ...(state.appsUp || this.#world.liveApps().length === 0 ? [] : ['nothing runs'])];
    return [...differences.map(({ store, what, expected, found }) => `${store}: ${what} is ${found}, not ${expected}`), ...this.#world.leaks(), ...closed];
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  async #launch(operation: Operation, operationId: OperationId): Promise<BenchRun> {
    if (operation.kind === 'bookmark') return await this.#start('recordBookmark', operationId, { label: 'here' });
    if (operation.kind === 'restore') return await this.#start('restoreProject', operationId, { target: operation.target, mode: operation.mode, acceptDrift: operation.acceptDrift });
    const revisionId = `rev_${operationId.slice(3)}` as RevisionId;
    this.#world.proposal = {
      revisionId, creates: operation.creates.map((slug) => ({ appId: materializedAppId(this.#world.projectId, revisionId, slug), slug, kind: 'react', name: slug, featureId: slug })),
      changes: operation.changes.map(({ slug, migrates }) => ({ slug, ...(migrates ? { migration: revisionId } : {}) })),
    };
    return await this.#start('generateProject', operationId, { door: 'approve_plan' });
  }

  #start(workflow: string, operationId: OperationId, extra: object = {}): Promise<BenchRun> {
    const request: OperationRequest & object = { projectId: this.#world.projectId, operationId, ...extra };
    return this.#bench.start(workflow, request);
  }
}

async function befall(what: Trouble['what'], effect: () => Promise<unknown>, run: BenchRun): Promise<unknown> {
  switch (what) {
    // No bucket's failure: that one waits for a person, and leaves its siblings' results for a resume.
    case 'fail for good': throw ApplicationFailure.create({ type: 'PreconditionFailed', message: 'injected', nonRetryable: true });
    case 'kill the worker': await effect(); throw new WorkerDied('killed');
    case 'cancel': await run.cancel('injected'); return await effect();
    case 'terminate': {
      const reply = await effect();
      await run.terminate();
      return reply;
    }
  }
}

async function ended(run: BenchRun): Promise<OperationOutcome | undefined> {
  try {
    return (await run.result()) as OperationOutcome;
  } catch {
    return undefined; // Terminated, or left open: the row says what became of it.
  }
}
