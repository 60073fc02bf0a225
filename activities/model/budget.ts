/** What may be spent, asked before each answer and counted after it: also for one that was of no use. */
import { AdorableError } from '../../shared/errors.ts';
import type { Answer, Model, Question } from './model.ts';
import { MalformedAnswer } from './model.ts';

/** The longest answer that is asked for: a file of a few hundred lines. */
const MAX_ANSWER = 16_000;
/** A conversation this close to its end would be cut off in a sentence. */
const MIN_ANSWER = 500;
const BYTES_PER_TOKEN = 4;

export interface Budget {
  readonly tokens: number;
  /** Adds to what was spent and answers the sum; 0 only asks. */
  spend(tokens: number): Promise<number>;
}

export async function answerWithin(model: Model, budget: Budget, question: Omit<Question, 'maxTokens'>): Promise<Answer> {
  const ahead = Math.ceil((question.system.length + JSON.stringify(question.said).length) / BYTES_PER_TOKEN);
  const left = budget.tokens - await budget.spend(0) - ahead;
  if (left < MIN_ANSWER) throw exceeded(budget);
  try {
    const answer = await model.answer({ ...question, maxTokens: Math.min(MAX_ANSWER, left) });
    if (await budget.spend(answer.tokens) > budget.tokens) throw exceeded(budget);
    return answer;
  } catch (error) {
    if (error instanceof MalformedAnswer) await budget.spend(error.tokens);
    throw error;
  }
}

/** A budget of its own, for what is no operation yet. */
export function budgetOf(tokens: number): Budget {
  let spent = 0;
  return { tokens, spend: (more) => Promise.resolve((spent += more)) };
}

function exceeded({ tokens }: Budget): AdorableError {
  return new AdorableError('QuotaExceeded', `The model would spend more than ${String(tokens)} tokens on this: raise ADORABLE_MODEL_TOKENS, or ask for less.`, { details: { tokens } });
}
