/** One producer of two: blueprints write what they know, the model what it was briefed for. Both are checked alike. */
import { BY_MODEL } from '../../shared/architect/plan.ts';
import { AdorableError } from '../../shared/errors.ts';
import type { Feature, Producer as CodeProducer, ProduceRequest } from '../code/code-deps.ts';
import type { Producer } from './producer.ts';

export interface Backends {
  readonly blueprints: Producer;
  /** Undefined where no model is configured. */
  readonly model?: ((request: ProduceRequest) => Promise<unknown>) | undefined;
}

export function createDispatch({ blueprints, model }: Backends): CodeProducer {
  const isModels = ({ blueprint }: Feature): boolean => blueprint === BY_MODEL;
  return {
    canMend: (feature) => (isModels(feature) ? model !== undefined : blueprints.canMend()),
    async produce(request) {
      if (!isModels(request.feature)) return await blueprints.produce(request);
      if (model !== undefined) return await model(request);
      throw new AdorableError('PreconditionFailed', `The feature ${request.feature.id} is written by a model, and this worker has none: start it with ADORABLE_MODEL_URL and ADORABLE_MODEL_NAME, then resume.`);
    },
    check: async (request) => await blueprints.check(request),
  };
}
