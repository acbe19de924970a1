-- Evidence has its time: artifacts go first, a run's rows later, and neither while somebody keeps the run.

ALTER TABLE spec_workflow_runs
  ADD COLUMN artifacts_deleted_at timestamptz,
  ADD COLUMN kept_at timestamptz,
  ADD COLUMN kept_reason text,
  ADD CONSTRAINT spec_workflow_runs_deleted_when_over CHECK (
    artifacts_deleted_at IS NULL OR (cleaned_at IS NOT NULL AND kept_at IS NULL)
  ),
  ADD CONSTRAINT spec_workflow_runs_reason_to_keep CHECK (kept_at IS NOT NULL OR kept_reason IS NULL);
COMMENT ON COLUMN spec_workflow_runs.artifacts_deleted_at IS
  'The artifacts were given up: each host deletes those it has, and nothing brings them back. Only '
  'of a run that is over and not kept by somebody.';
COMMENT ON COLUMN spec_workflow_runs.kept_at IS
  'Since then somebody keeps the run: neither its artifacts nor its rows are deleted.';
COMMENT ON COLUMN spec_workflow_runs.kept_reason IS 'What whoever keeps it has said.';

ALTER TABLE spec_workflow_artifacts ADD COLUMN truncated boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN spec_workflow_artifacts.truncated IS
  'More came than is kept of one artifact; the file''s last line says how much.';

CREATE INDEX spec_workflow_runs_expiring ON spec_workflow_runs (artifacts_expire_at)
  WHERE artifacts_deleted_at IS NULL AND kept_at IS NULL;
CREATE INDEX spec_workflow_runs_leaving ON spec_workflow_runs (finished_at)
  WHERE artifacts_deleted_at IS NOT NULL;
CREATE INDEX spec_workflow_runs_retries ON spec_workflow_runs (retry_of) WHERE retry_of IS NOT NULL;
CREATE INDEX spec_workflow_runs_owners ON spec_workflow_runs (lease_owner) WHERE lease_owner IS NOT NULL;
CREATE INDEX spec_workflow_commands_run ON spec_workflow_commands (run_id);
CREATE INDEX spec_workflow_workers_seen ON spec_workflow_workers (seen_at);
COMMENT ON INDEX spec_workflow_runs_expiring IS 'Runs whose artifacts may have to go.';
COMMENT ON INDEX spec_workflow_runs_leaving IS 'Runs whose rows may have to go.';
COMMENT ON INDEX spec_workflow_runs_retries IS 'What goes on from a run whose rows are deleted.';
COMMENT ON INDEX spec_workflow_runs_owners IS 'What a worker whose row is deleted owns: nothing.';
COMMENT ON INDEX spec_workflow_commands_run IS 'What is deleted with a run.';
COMMENT ON INDEX spec_workflow_workers_seen IS 'Workers that are long gone.';
