-- A sweep that reaps is an operation: it takes the project's next fence.
ALTER TABLE operations DROP CONSTRAINT operations_kind_check;
ALTER TABLE operations ADD CONSTRAINT operations_kind_check CHECK (kind IN ('provision', 'generate', 'restore', 'delete', 'recover', 'bookmark', 'sweep'));
