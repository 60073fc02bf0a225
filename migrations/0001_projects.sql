-- Projects, their apps, and the rows that glue the stores together.
CREATE TABLE projects (
  id                 text PRIMARY KEY,
  name               text NOT NULL,
  status             text NOT NULL DEFAULT 'provisioning' CHECK (status IN ('provisioning', 'idle', 'busy', 'archived')),
  -- Grows with every operation and every unwinding; a store refuses what carries an older one.
  fence              bigint NOT NULL DEFAULT 0,
  tenant_id          text,
  timeline_id        text,
  current_checkpoint text,
  revision_id        text,
  -- The flat, declared service set.
  services           jsonb NOT NULL DEFAULT '[]',
  service_versions   jsonb NOT NULL DEFAULT '{}',
  -- Snapshots that undos left, oldest first; a new generation empties it.
  redo_stack         jsonb NOT NULL DEFAULT '[]',
  created_at         timestamptz NOT NULL DEFAULT now(),
  archived_at        timestamptz
);

CREATE TABLE project_apps (
  id          text PRIMARY KEY,
  project_id  text NOT NULL REFERENCES projects (id),
  slug        text NOT NULL,
  name        text NOT NULL,
  kind        text NOT NULL CHECK (kind IN ('react', 'fullstack')),
  is_primary  boolean NOT NULL,
  fs_dir_name text NOT NULL,
  -- `pending` until the generation that makes it decides.
  state       text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'live')),
  operation_id text NOT NULL,
  created_at  timestamptz NOT NULL DEFAULT now(),
  archived_at timestamptz
);

CREATE UNIQUE INDEX project_apps_live_slug ON project_apps (project_id, slug) WHERE archived_at IS NULL;
CREATE UNIQUE INDEX project_apps_live_primary ON project_apps (project_id) WHERE archived_at IS NULL AND is_primary;
