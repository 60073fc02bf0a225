-- One row per operation. Its decision alone says where the project must go, whatever became of the run.
CREATE TABLE operations (
  id          text PRIMARY KEY,
  project_id  text NOT NULL REFERENCES projects (id),
  kind        text NOT NULL CHECK (kind IN ('provision', 'generate', 'restore', 'delete', 'recover', 'bookmark')),
  run_id      text NOT NULL,
  fence       bigint NOT NULL,
  phase       text NOT NULL DEFAULT 'claimed',
  decision    text CHECK (decision IN ('target', 'abort', 'back')),
  final_at    timestamptz,
  forward     jsonb,
  back        jsonb,
  plan        jsonb,
  -- The rows as they were before the decision, for `back`.
  before      jsonb,
  receipt     jsonb,
  outcome     text,
  message     text,
  details     jsonb,
  started_at  timestamptz NOT NULL DEFAULT now(),
  closed_at   timestamptz
);

-- The Temporal server is the mutex; this index is what makes a second open operation impossible even so.
CREATE UNIQUE INDEX operations_open ON operations (project_id) WHERE outcome IS NULL;
