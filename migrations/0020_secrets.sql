-- Secrets of projects: AES-256-GCM under the platform's master key, which is a file beside this database.
CREATE TABLE project_secrets (
  project_id text NOT NULL,
  -- compute/<NAME>, app/<app id>/<NAME>, service/<service id>/<NAME>
  name       text NOT NULL,
  version    integer NOT NULL CHECK (version > 0),
  -- nonce (12 bytes), tag (16), ciphertext; bound to project, name and version.
  ciphertext bytea NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (project_id, name, version)
);
