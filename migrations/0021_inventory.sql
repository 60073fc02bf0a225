-- What each project made in Kubernetes: the intent before the create, the UID after. Only what stands here is ever deleted.
CREATE TABLE inventory (
  project_id   text NOT NULL,
  api_version  text NOT NULL,
  kind         text NOT NULL,
  namespace    text NOT NULL,
  name         text NOT NULL,
  uid          text,
  operation_id text NOT NULL,
  state        text NOT NULL CHECK (state IN ('intent', 'live')),
  created_at   timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (project_id, kind, name),
  CHECK (state = 'intent' OR uid IS NOT NULL)
);
