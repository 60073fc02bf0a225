-- Moments: (commit, tenant, timeline, LSN, declared state). The intent is written first, completed last.
CREATE TABLE checkpoints (
  id           text PRIMARY KEY,
  ordinal      bigint GENERATED ALWAYS AS IDENTITY,
  project_id   text NOT NULL REFERENCES projects (id),
  operation_id text NOT NULL,
  kind         text NOT NULL CHECK (kind IN ('provisioned', 'generated', 'pre-generation', 'pre-restore', 'manual')),
  status       text NOT NULL DEFAULT 'intent' CHECK (status IN ('intent', 'complete', 'void')),
  label        text,
  parent_id    text REFERENCES checkpoints (id),
  alias_of     text REFERENCES checkpoints (id),
  commit_sha   text NOT NULL,
  tree         text NOT NULL,
  tenant_id    text NOT NULL,
  timeline_id  text NOT NULL,
  lsn          text,
  sealed       boolean NOT NULL DEFAULT false,
  declared     jsonb NOT NULL,
  created_at   timestamptz NOT NULL DEFAULT now(),
  completed_at timestamptz
);

CREATE INDEX checkpoints_project ON checkpoints (project_id, ordinal);
