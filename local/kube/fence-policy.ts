/**
 * The API server's own check of the fence: what the worker writes must carry at least the fence of
 * its Namespace, and a Namespace's fence may only grow. A worker that was overtaken is refused by
 * the store itself, whatever it believes (DESIGN §3.1). Deletes are let through: an object is
 * patched under its fence first, and the delete carries that resourceVersion.
 */
import { WORKER_USER } from './identities.ts';

const GROUP = 'admissionregistration.k8s.io/v1';
const FENCE = 'adorable.dev/fence';
/** Also named in the refusal, which is how a caller knows a stale fence from another one. */
export const FENCE_POLICY = 'adorable-fence';

const fenceOf = (object: string) =>
  `(has(${object}.metadata.annotations) && '${FENCE}' in ${object}.metadata.annotations ? int(${object}.metadata.annotations['${FENCE}']) : 0)`;
const carries = `has(object.metadata.annotations) && '${FENCE}' in object.metadata.annotations`;
const byWorker = [{ name: 'worker', expression: `request.userInfo.username == '${WORKER_USER}'` }];
const rule = (apiGroup: string, resources: readonly string[], operations: readonly string[] = ['CREATE', 'UPDATE']) =>
  ({ apiGroups: [apiGroup], apiVersions: ['*'], operations, resources });

function policy(name: string, resourceRules: readonly object[], validations: readonly object[]) {
  return [
    {
      apiVersion: GROUP, kind: 'ValidatingAdmissionPolicy', metadata: { name },
      spec: { failurePolicy: 'Fail', matchConstraints: { resourceRules }, matchConditions: byWorker, validations },
    },
    {
      apiVersion: GROUP, kind: 'ValidatingAdmissionPolicyBinding', metadata: { name },
      spec: { policyName: name, validationActions: ['Deny'] },
    },
  ];
}

export const fencePolicy = [
  ...policy(
    FENCE_POLICY,
    [
      rule('', ['services', 'secrets', 'configmaps', 'resourcequotas', 'limitranges', 'serviceaccounts']),
      rule('apps', ['deployments']),
      rule('networking.k8s.io', ['ingresses', 'networkpolicies']),
    ],
    [
      { expression: carries, message: 'the object carries no fence', reason: 'Forbidden' },
      // namespaceObject is there in validations only, not in matchConditions.
      { expression: `!(${carries}) || ${fenceOf('object')} >= ${fenceOf('namespaceObject')}`, message: 'a newer operation holds this namespace', reason: 'Forbidden' },
    ],
  ),
  ...policy(
    `${FENCE_POLICY}-namespace`,
    [rule('', ['namespaces'], ['UPDATE'])],
    [{ expression: `${fenceOf('object')} >= ${fenceOf('oldObject')}`, message: 'a newer operation holds this namespace', reason: 'Forbidden' }],
  ),
];
