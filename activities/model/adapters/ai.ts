/**
 * The one adapter of the `ai` SDK: an OpenAI-compatible server as a `Model`. Its retries are off, since
 * Temporal is the one retrier; of its errors only the status leaves, never a request, a header or what
 * a server wrote, since servers quote keys (I7).
 */
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { APICallError, isStepCount, jsonSchema, Output, StreamProviderError, streamText, tool } from 'ai';
import type { ModelMessage, ToolSet } from 'ai';
import { AdorableError } from '../../../shared/errors.ts';
import type { FailureType } from '../../../shared/errors.ts';
import { MalformedAnswer } from '../model.ts';
import type { Answer, Model, ModelTool, Question, Spent } from '../model.ts';
import type { ModelSettings } from '../settings.ts';

/** Of text in the tongues that models read; only where a server does not count. */
const BYTES_PER_TOKEN = 3;
const MAX_PAUSE_MS = 3_600_000;

// Its warnings go to stdout, which is the worker's log.
globalThis.AI_SDK_LOG_WARNINGS = false;

export function connectModel(settings: ModelSettings): Model {
  return {
    ask: (text) => [{ role: 'user', content: text } satisfies ModelMessage],
    answer: async (question) => await answer(settings, question),
  };
}

async function answer(settings: ModelSettings, question: Question): Promise<Answer> {
  const { system, said, shape, maxTokens, signal, onPart } = question;
  let [reached, answers] = [false, false];
  const provider = createOpenAICompatible({
    name: 'model',
    baseURL: settings.url,
    includeUsage: true,
    supportsStructuredOutputs: true,
    fetch: async (address, init) => {
      // Neither the key nor the project goes where an answer points.
      const response = await fetch(address, { ...init, redirect: 'manual' });
      reached = true;
      answers = response.ok;
      return response;
    },
    ...(settings.key === undefined ? {} : { apiKey: settings.key }),
  });
  const late = AbortSignal.timeout(settings.callMs);
  const broken: unknown[] = [];
  let failed: AdorableError | undefined;
  const result = streamText({
    model: provider.chatModel(settings.name),
    instructions: system,
    messages: [...said] as ModelMessage[],
    maxOutputTokens: maxTokens,
    maxRetries: 0,
    stopWhen: isStepCount(1),
    abortSignal: signal === undefined ? late : AbortSignal.any([signal, late]),
    ...(question.tools === undefined ? {} : { tools: toTools(question.tools, (error) => { failed ??= error; }) }),
    ...(shape === undefined ? {} : { output: Output.object({ schema: jsonSchema(shape) }) }),
    onError: ({ error }) => { broken.push(error); },
  });
  let text = '';
  let called = '';
  let thought = '';
  const counted = { asked: 0, answered: 0 };
  let finish: string | undefined;
  try {
    for await (const part of result.stream) {
      onPart?.();
      if (part.type === 'text-delta') text += part.text;
      if (part.type === 'reasoning-delta') thought += part.text;
      if (part.type === 'tool-input-delta') called += part.delta;
      if (part.type === 'error') broken.push(part.error);
      if (part.type === 'finish-step') {
        finish = part.finishReason;
        Object.assign(counted, { asked: part.usage.inputTokens ?? 0, answered: part.usage.outputTokens ?? 0 });
      }
    }
  } catch (error) {
    broken.push(error);
  }
  // A server that does not count is counted for: no answer is free.
  const spent = spentOf(settings, {
    asked: counted.asked > 0 ? counted.asked : guessed(system + JSON.stringify(said)),
    answered: counted.answered > 0 ? counted.answered : guessed(text + thought + called),
  });
  // One that says nothing until it is given up may have worked all the while; a refusal and a broken line have not.
  if (answers || late.aborted) question.onSpent?.(spent);
  signal?.throwIfAborted();
  if (failed !== undefined) throw failed;
  if (late.aborted) throw new AdorableError('Unavailable', `The model took longer than ${String(settings.callMs / 1000)} s for one answer (ADORABLE_MODEL_SECONDS).`);
  if (broken.length > 0 && !reached) throw new AdorableError('Unavailable', `The model at ${settings.url} cannot be reached.`);
  if (broken.length > 0) throw toFailure(settings, broken[0]);
  if (finish === 'length') throw new MalformedAnswer('its answer was cut off at its length');
  if (finish !== 'stop' && finish !== 'tool-calls') throw new MalformedAnswer('its answer ended without an end');
  const { messages } = await result.response;
  return { text, continues: finish === 'tool-calls', said: [...said, ...messages], spent };
}

const guessed = (text: string): number => Math.ceil(Buffer.byteLength(text) / BYTES_PER_TOKEN);

/** Rounded up, so that no answer is free. */
function spentOf({ prices }: ModelSettings, { asked, answered }: { asked: number; answered: number }): Spent {
  return { tokens: asked + answered, micros: prices === undefined ? 0 : Math.ceil(asked * prices.asked + answered * prices.answered) };
}

/** What a tool throws would be shown to the model and forgotten: it is kept, and ends the work. */
function toTools(tools: Readonly<Record<string, ModelTool>>, onFailure: (error: AdorableError) => void): ToolSet {
  return Object.fromEntries(Object.entries(tools).map(([name, { description, input, run }]) => [name, tool({
    description,
    inputSchema: jsonSchema<Record<string, unknown>>(input),
    execute: async (given) => {
      try {
        return await run(given);
      } catch (error) {
        onFailure(error instanceof AdorableError ? error : new AdorableError('Unclassified', `The tool ${name} failed: ${error instanceof Error ? error.message : String(error)}`));
        throw error;
      }
    },
  })]));
}

/** Without the cause: it holds the request. */
function toFailure({ url, name }: ModelSettings, error: unknown): Error {
  const isCall = APICallError.isInstance(error);
  const status = isCall || StreamProviderError.isInstance(error) ? error.statusCode : undefined;
  if (status === undefined || status === 200) return new MalformedAnswer('its answer was cut off or cannot be read');
  const type = typeOf(status);
  const retryAfterMs = type === 'RateLimited' && isCall ? pauseOf(error.responseHeaders?.['retry-after']) : undefined;
  return new AdorableError(type, `The model at ${url} answers ${String(status)}${adviceOf(type, name)}`, { details: { status, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) } });
}

function typeOf(status: number): FailureType {
  if (status === 401 || status === 403) return 'Denied';
  if (status === 402) return 'QuotaExceeded';
  if (status === 429) return 'RateLimited';
  return status === 408 || status === 409 || status >= 500 ? 'Unavailable' : 'PreconditionFailed';
}

function adviceOf(type: FailureType, name: string): string {
  if (type === 'Denied') return ': look at ADORABLE_MODEL_KEY.';
  if (type === 'QuotaExceeded') return ': its account has nothing left.';
  if (type === 'RateLimited') return ': it asks for slower requests.';
  return type === 'PreconditionFailed' ? `: look at ADORABLE_MODEL_URL and ADORABLE_MODEL_NAME (${name}), and whether it takes tools and a JSON schema.` : '.';
}

/** Seconds or a date. */
function pauseOf(header: string | undefined): number | undefined {
  if (header === undefined) return undefined;
  const ms = /^\d+(?:\.\d+)?$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isFinite(ms) ? Math.min(MAX_PAUSE_MS, Math.max(0, Math.ceil(ms))) : undefined;
}

