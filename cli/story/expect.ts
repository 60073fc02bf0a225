/** The story's own assertions: what a store answered is not what the story tells. */
import { AdorableError } from '../../shared/errors.ts';
import type { HttpAnswer } from './world.ts';

export function expectThat(holds: boolean, claim: string, found: unknown): void {
  if (!holds) throw new AdorableError('VerifyFailed', `The story does not hold: ${claim}; found ${JSON.stringify(found)}.`);
}

export function expectList(found: readonly string[], wanted: readonly string[], what: string): void {
  expectThat(JSON.stringify([...found].sort()) === JSON.stringify([...wanted].sort()), `${what} should be [${wanted.join(', ')}]`, found);
}

export function expectOk(answer: HttpAnswer, what: string): HttpAnswer {
  expectThat(answer.status >= 200 && answer.status < 300, `${what} answers 2xx`, { status: answer.status, body: answer.body.slice(0, 300) });
  return answer;
}
