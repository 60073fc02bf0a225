-- What the data at a checkpoint's LSN says of its schema, and which versions of the secrets were in
-- use: what a later restore compares with, without opening the past. NULL where it was not recorded.
ALTER TABLE checkpoints ADD COLUMN schema_marks jsonb, ADD COLUMN secret_versions jsonb;
