/** Why a container could not be started, in the words that a kubelet puts into `waiting.reason`. */
export type StartFailureReason = 'ErrImagePull' | 'CreateContainerConfigError' | 'RunContainerError';

export class StartFailure extends Error {
  readonly reason: StartFailureReason;

  constructor(reason: StartFailureReason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'StartFailure';
    this.reason = reason;
  }

  /** What is shown between two attempts. */
  get waitingReason(): string {
    return this.reason === 'ErrImagePull' ? 'ImagePullBackOff' : this.reason;
  }
}
