/** What an operation has spent with the model, in its row: attempts, buckets and workers share one budget. */
import { AdorableError } from '../../shared/errors.ts';
import type { OperationId } from '../../shared/ids.ts';
import type { Session } from './platform-database.ts';

/** Adds and answers the sum; 0 only asks. A repeat counts again, since it was paid again. */
export async function spendTokens(session: Session, operationId: OperationId, tokens: number): Promise<number> {
  const [row] = await session.query<{ spent: string }>('UPDATE operations SET model_tokens = model_tokens + $2 WHERE id = $1 RETURNING model_tokens AS spent', [operationId, Math.ceil(tokens)]);
  if (row === undefined) throw new AdorableError('NotFound', `No operation ${operationId}: nothing may be spent for it.`);
  return Number(row.spent);
}
