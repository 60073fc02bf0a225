-- The architect's proposals. `$NEW:<feature>` lives in the proposed spec.json only: a sentinel is no foreign key.
CREATE TABLE plan_revisions (
  id           text PRIMARY KEY,
  project_id   text NOT NULL REFERENCES projects (id),
  number       integer NOT NULL,
  status       text NOT NULL CHECK (status IN ('proposed', 'approved', 'active', 'done', 'archived')),
  message      text NOT NULL,
  operation_id text,
  created_at   timestamptz NOT NULL DEFAULT now(),
  archived_at  timestamptz,
  UNIQUE (project_id, number)
);

CREATE TABLE plan_subtasks (
  id            text PRIMARY KEY,
  revision_id   text NOT NULL REFERENCES plan_revisions (id),
  feature_id    text NOT NULL,
  feature_title text NOT NULL,
  blueprint     text NOT NULL,
  title         text NOT NULL,
  position      integer NOT NULL,
  app_id        text REFERENCES project_apps (id)
);

CREATE INDEX plan_subtasks_revision ON plan_subtasks (revision_id);
