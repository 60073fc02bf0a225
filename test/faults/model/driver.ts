/**
 * What the model-based test needs of a world: operations with trouble at some boundary, rows and
 * edits beside them, and a look at what a person finds. One driver is the fake world, one the real engines.
 */
import type { OperationId } from '../../../shared/ids.ts';
import type { RestoreMode } from '../../../shared/moment.ts';

export type Operation =
  | { readonly kind: 'generate'; readonly creates: readonly string[]; readonly changes: readonly Change[] }
  | { readonly kind: 'restore'; readonly target: string; readonly mode: RestoreMode; readonly acceptDrift: boolean }
  | { readonly kind: 'bookmark' };

/** New code for an app that exists, with a migration or without. */
export interface Change {
  readonly slug: string;
  readonly migrates: boolean;
}

/** What befalls an operation while its n-th activity (from 0) is under way, if it has as many. */
export interface Trouble {
  readonly what: 'cancel' | 'kill the worker' | 'terminate' | 'fail for good';
  readonly at: number;
}

export interface Performed {
  readonly operationId: OperationId;
  /** What the operation's row says once nothing is open any more. */
  readonly outcome: string;
  /** The failure's type, where the run answered with one. */
  readonly failure?: string;
}

/** What a person finds. */
export interface Sight {
  readonly apps: readonly string[];
  /** Rows of the live apps, by number. */
  readonly rows: readonly number[];
  /** The file that people edit in the worktree. */
  readonly note: string | null;
}

export interface Session {
  /** The operation that provisioned the project: its moment is the first. */
  readonly first: OperationId;
  /** After its troubles: `recover`, where something was left open. */
  perform(operation: Operation, troubles: readonly Trouble[]): Promise<Performed>;
  /** Resolves when the row was acknowledged. */
  write(slug: string, row: number): Promise<void>;
  edit(note: string): Promise<void>;
  look(): Promise<Sight>;
  /** What is wrong with the world in itself: stores that differ from the moment, leaks; empty when all is well. */
  problems(): Promise<readonly string[]>;
  close(): Promise<void>;
}

export interface Driver {
  /** Apps that can be generated. */
  readonly slugs: readonly string[];
  /** Those of them that rows can be written to. */
  readonly writable: ReadonlySet<string>;
  /** An app's code can be generated anew. */
  readonly changesApps: boolean;
  readonly troubles: readonly Trouble['what'][];
  /** A new project, provisioned and empty. */
  open(): Promise<Session>;
  close(): Promise<void>;
}
