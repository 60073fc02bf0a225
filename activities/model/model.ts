/** A model in our words: one answer at a time, with what it called and what it cost. */

/** Plain JSON Schema, since it travels to the model. */
export type Schema = Readonly<Record<string, unknown>>;

export interface ModelTool {
  readonly description: string;
  readonly input: Schema;
  /** What the model is told; a refusal is an answer too, a failure that is thrown ends the work. */
  run(input: Readonly<Record<string, unknown>>): Promise<string>;
}

/** Opaque: what was said so far, for the next answer of the same conversation. */
export type Said = readonly unknown[];

export interface Question {
  readonly system: string;
  readonly said: Said;
  readonly tools?: Readonly<Record<string, ModelTool>>;
  /** The shape of the answer; without it, text. */
  readonly shape?: Schema;
  readonly maxTokens: number;
  readonly signal?: AbortSignal | undefined;
  /** Called for each part of the answer as it comes. */
  onPart?(): void;
  /** Called once when the model has answered, however that ended: what it took is owed. */
  onSpent?(spent: Spent): void;
}

/** What answers took: tokens, and millionths of the unit that the prices are in; none where none are set. */
export interface Spent {
  readonly tokens: number;
  readonly micros: number;
}

export const NOTHING: Spent = { tokens: 0, micros: 0 };

export interface Answer {
  readonly text: string;
  /** It called tools and waits for the next question; otherwise it has ended. */
  readonly continues: boolean;
  readonly said: Said;
  readonly spent: Spent;
}

export interface Model {
  /** Throws `MalformedAnswer` for one that is cut off or cannot be read, otherwise a typed failure; `onSpent` was called either way. */
  answer(question: Question): Promise<Answer>;
  /** What a person, or we in its place, say. */
  ask(text: string): Said;
}

/** Worth another try, a bounded number of times; it costs what it cost. */
export class MalformedAnswer extends Error {
  override readonly name = 'MalformedAnswer';
}
