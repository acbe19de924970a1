-- What is known of a run's Spec Kit project, and what its documents say.

ALTER TABLE spec_workflow_runs
  ADD COLUMN spec_kit jsonb,
  ADD COLUMN summary jsonb;
COMMENT ON COLUMN spec_workflow_runs.spec_kit IS
  'The Spec Kit project the run works in: its directory, settings, and where its instructions are.';
COMMENT ON COLUMN spec_workflow_runs.summary IS
  'Read from spec.md, plan.md and tasks.md of the last good phase.';
