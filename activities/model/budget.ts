/** What may be spent, asked before each answer and counted after it: also for one that was of no use. */
import { AdorableError } from '../../shared/errors.ts';
import type { Answer, Model, Question, Spent } from './model.ts';
import { NOTHING } from './model.ts';
import type { Limits } from './settings.ts';

/** The longest answer that is asked for: a file of a few hundred lines. */
const MAX_ANSWER = 16_000;
/** A conversation this close to its end would be cut off in a sentence. */
const MIN_ANSWER = 500;
const BYTES_PER_TOKEN = 4;

export interface Budget {
  readonly limits: Limits;
  /** Adds to what was spent and answers the sum; `NOTHING` only asks. */
  spend(more: Spent): Promise<Spent>;
}

export async function answerWithin(model: Model, budget: Budget, question: Omit<Question, 'maxTokens'>): Promise<Answer> {
  const { limits } = budget;
  const ahead = Math.ceil(Buffer.byteLength(question.system + JSON.stringify([question.said, question.tools, question.shape])) / BYTES_PER_TOKEN);
  const spent = await budget.spend(NOTHING);
  const left = limits.tokens - spent.tokens - ahead;
  if (left < MIN_ANSWER) throw tooManyTokens(limits);
  const paid = payable(limits, spent, ahead);
  if (paid < MIN_ANSWER) throw tooExpensive(limits);
  let owed: Spent | undefined;
  try {
    const answer = await model.answer({ ...question, maxTokens: Math.min(MAX_ANSWER, left, paid), onSpent: (more) => { owed = more; } });
    const sum = await budget.spend(answer.spent);
    owed = undefined;
    if (sum.tokens > limits.tokens) throw tooManyTokens(limits);
    if (sum.micros > (limits.micros ?? Infinity)) throw tooExpensive(limits);
    return answer;
  } catch (error) {
    // Too late, broken off, of no use: it was paid for, and a retry would be again.
    if (owed !== undefined) await budget.spend(owed);
    throw error;
  }
}

/** How long an answer what is left of the money pays for, after its question. */
function payable({ micros, prices }: Limits, spent: Spent, ahead: number): number {
  if (micros === undefined || prices === undefined) return Infinity;
  const left = micros - spent.micros - ahead * prices.asked;
  if (left <= 0) return 0;
  return prices.answered === 0 ? Infinity : Math.floor(left / prices.answered);
}

/** A budget of its own, for what is no operation yet. */
export function budgetOf(limits: Limits): Budget {
  let spent = NOTHING;
  return { limits, spend: ({ tokens, micros }) => Promise.resolve(spent = { tokens: spent.tokens + tokens, micros: spent.micros + micros }) };
}

function tooManyTokens({ tokens }: Limits): AdorableError {
  return new AdorableError('QuotaExceeded', `The model would spend more than ${String(tokens)} tokens on this: raise ADORABLE_MODEL_TOKENS, or ask for less.`, { details: { tokens } });
}

function tooExpensive({ micros = 0 }: Limits): AdorableError {
  const cost = micros / 1e6;
  return new AdorableError('QuotaExceeded', `The model would cost more than ${String(cost)} for this: raise ADORABLE_MODEL_COST, or ask for less.`, { details: { cost } });
}
