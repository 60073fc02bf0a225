/** What an operation has spent with the model, in its row: attempts, buckets and workers share one budget. */
import { AdorableError } from '../../shared/errors.ts';
import type { OperationId } from '../../shared/ids.ts';
import type { Spent } from '../model/model.ts';
import type { Session } from './platform-database.ts';

/** Adds and answers the sum; nothing only asks. A repeat counts again, since it was paid again. */
export async function spendOnModel(session: Session, operationId: OperationId, more: Spent): Promise<Spent> {
  const [row] = await session.query<{ tokens: string; micros: string }>(
    'UPDATE operations SET model_tokens = model_tokens + $2, model_micros = model_micros + $3 WHERE id = $1 RETURNING model_tokens AS tokens, model_micros AS micros',
    [operationId, Math.ceil(more.tokens), Math.ceil(more.micros)],
  );
  if (row === undefined) throw new AdorableError('NotFound', `No operation ${operationId}: nothing may be spent for it.`);
  return { tokens: Number(row.tokens), micros: Number(row.micros) };
}
