-- What a feature does to an app that is there; NULL for the blueprint that makes it.
ALTER TABLE plan_subtasks ADD COLUMN change text;
-- The proposal as its generation accepted it: what a person edits later concerns the next one.
ALTER TABLE plan_revisions ADD COLUMN plan_commit text;
