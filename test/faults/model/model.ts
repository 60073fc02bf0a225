/**
 * What a project must be after any sequence of operations, in its simplest form: code and data that
 * move together or alone, moments that remember both, and where undo and redo lead from here. It
 * shares no code with the product.
 */
import type { RestoreMode } from '../../../shared/moment.ts';
import type { Change, Operation, Sight } from './driver.ts';

/** An app as declared: which birth of its slug it is, and the migrations that its code has. */
interface App {
  readonly birth: number;
  readonly migrations: readonly string[];
}

interface Code {
  readonly apps: Readonly<Record<string, App>>;
  readonly note: string | null;
}

interface Schema {
  readonly migrations: readonly string[];
  readonly rows: readonly number[];
}

/** By an app's birth: a slug that was born again has another schema. */
type Data = Readonly<Record<number, Schema>>;

interface State {
  readonly code: Code;
  readonly data: Data;
  /** Before the generation that made this state: where undo leads. */
  readonly before: Moment | null;
}

export interface Moment extends State {
  readonly id: string;
  /** The moment that it stands for: a whole restore's node is its target under another id. */
  readonly root: string;
  readonly parent: Moment | null;
}

/** Ids under which the product records an operation's moments. */
export interface Ids {
  readonly target: string;
  readonly snapshot: string;
}

export class Model {
  #state: State = { code: { apps: {}, note: null }, data: {}, before: null };
  #here: Moment;
  #redo: readonly Moment[] = [];
  #births = 0;
  readonly moments: Moment[] = [];

  constructor(first: string) {
    this.#here = { ...this.#state, id: first, root: first, parent: null };
    this.moments.push(this.#here);
  }

  get slugs(): readonly string[] {
    return Object.keys(this.#state.code.apps).sort();
  }

  sight(): Sight {
    const { code, data } = this.#state;
    return { apps: this.slugs, rows: Object.values(code.apps).flatMap(({ birth }) => data[birth]?.rows ?? []).sort((a, b) => a - b), note: code.note };
  }

  write(slug: string, row: number): void {
    const birth = this.#state.code.apps[slug]?.birth ?? -1;
    const schema = this.#state.data[birth];
    if (schema === undefined) throw new Error(`the model has no schema for ${slug}`);
    this.#state = { ...this.#state, data: { ...this.#state.data, [birth]: { ...schema, rows: [...schema.rows, row] } } };
  }

  edit(note: string): void {
    this.#state = { ...this.#state, code: { ...this.#state.code, note } };
  }

  /** The failure's type with which an operation is refused; undefined when it goes forward. */
  refusal(operation: Operation): string | undefined {
    if (operation.kind !== 'restore') return undefined;
    const target = this.#targetOf(operation.target);
    if (typeof target === 'string') return target;
    if (operation.mode !== 'data' && target.root === this.#here.root) return 'CurrentMoment';
    if (operation.mode !== 'all' && !operation.acceptDrift && marks(target.data) !== marks(this.#state.data)) return 'PreconditionFailed';
    return undefined;
  }

  /** The operation went forward. */
  apply(operation: Operation, ids: Ids): void {
    if (operation.kind === 'generate') this.#generate(operation, ids);
    else if (operation.kind === 'bookmark') this.#here = this.#record(ids.target, this.#state, this.#here);
    else this.#restore(operation, ids);
  }

  #generate({ creates, changes }: { readonly creates: readonly string[]; readonly changes: readonly Change[] }, { target, snapshot }: Ids): void {
    const before = this.#record(snapshot, this.#state, this.#here);
    const apps = { ...this.#state.code.apps };
    for (const slug of creates) apps[slug] = { birth: (this.#births += 1), migrations: ['first'] };
    for (const { slug, migrates } of changes) {
      const app = apps[slug];
      if (app !== undefined && migrates) apps[slug] = { ...app, migrations: [...app.migrations, target] };
    }
    const code = { ...this.#state.code, apps };
    this.#state = { code, data: migrated(this.#state.data, code), before };
    this.#redo = [];
    this.#here = this.#record(target, this.#state, before);
  }

  #restore({ target: name, mode }: { readonly target: string; readonly mode: RestoreMode }, ids: Ids): void {
    const target = this.#targetOf(name);
    if (typeof target === 'string') throw new Error(`the model refuses ${name}: ${target}`);
    const snapshot = this.#record(ids.snapshot, this.#state, this.#here);
    const reached: State = mode === 'all' ? target : {
      code: mode === 'code' ? target.code : this.#state.code, data: mode === 'data' ? target.data : this.#state.data, before: this.#state.before,
    };
    this.#here = this.#record(ids.target, reached, snapshot, mode === 'all' ? target : undefined);
    this.#state = { code: reached.code, data: migrated(reached.data, reached.code), before: reached.before };
    this.#redo = name === 'redo' ? this.#redo.slice(0, -1) : [...this.#redo, snapshot];
  }

  #record(id: string, { code, data, before }: State, parent: Moment, aliasOf?: Moment): Moment {
    const moment = { code, data, before, id, root: aliasOf?.root ?? id, parent };
    this.moments.push(moment);
    return moment;
  }

  /** The moment, or the failure's type where there is none. */
  #targetOf(name: string): Moment | string {
    if (name === 'undo') return this.#state.before ?? 'PreconditionFailed';
    if (name === 'redo') return this.#redo.at(-1) ?? 'PreconditionFailed';
    if (name.startsWith('before:')) return this.#without(name.slice('before:'.length)) ?? 'NotFound';
    return this.moments.find(({ id }) => id === name) ?? 'NotFound';
  }

  /** On the way back from here, the first moment without the app after one with it. */
  #without(slug: string): Moment | undefined {
    const rootOf = (moment: Moment): Moment => this.moments.find(({ id }) => id === moment.root) ?? moment;
    let seen = false;
    for (let moment: Moment | null = rootOf(this.#here); moment !== null; moment = moment.parent === null ? null : rootOf(moment.parent)) {
      if (slug in moment.code.apps) seen = true;
      else if (seen) return moment;
    }
    return undefined;
  }
}

/** What code lacks in a database, it makes there; it never takes away. */
function migrated(data: Data, code: Code): Data {
  const result: Record<number, Schema> = { ...data };
  for (const { birth, migrations } of Object.values(code.apps)) {
    const known = result[birth] ?? { migrations: [], rows: [] };
    result[birth] = { rows: known.rows, migrations: [...known.migrations, ...migrations.filter((name) => !known.migrations.includes(name))] };
  }
  return result;
}

/** A schema without migrations is as good as none. */
function marks(data: Data): string {
  return JSON.stringify(Object.entries(data).flatMap(([birth, { migrations }]) => migrations.map((name) => `${birth}/${name}`)).sort());
}
