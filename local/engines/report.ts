/** Live progress of obtaining an engine, for a person or a log. */
export interface EngineEvent {
  readonly state: 'obtaining' | 'waiting' | 'progress' | 'skipped' | 'ready';
  /** One line without a newline. */
  readonly detail: string;
}

export type Report = (event: EngineEvent) => void;
