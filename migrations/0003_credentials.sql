-- Keys whose provider has asked to wait, and runs that wait for one.

CREATE TABLE spec_workflow_credentials (
  name text PRIMARY KEY,
  cooling_until timestamptz NOT NULL,
  reason text NOT NULL CHECK (reason IN ('rate_limited', 'quota')),
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE spec_workflow_credentials IS
  'Named keys that were told to rest. The keys themselves are never stored.';
COMMENT ON COLUMN spec_workflow_credentials.name IS 'As agent backends name it.';
COMMENT ON COLUMN spec_workflow_credentials.cooling_until IS
  'No call is made with it before. Delete the row to end a cool-down.';
COMMENT ON COLUMN spec_workflow_credentials.reason IS 'Of the cool-down that ends last.';

ALTER TABLE spec_workflow_runs
  ADD COLUMN credential text,
  ADD COLUMN cooled_ms bigint NOT NULL DEFAULT 0,
  DROP CONSTRAINT spec_workflow_runs_parked_for_check,
  ADD CONSTRAINT spec_workflow_runs_parked_for_check
    CHECK (parked_for IN ('input', 'credential'));
COMMENT ON COLUMN spec_workflow_runs.parked_for IS
  'What the run waits for beside due_at: a person''s answers, or a credential that cools down.';
COMMENT ON COLUMN spec_workflow_runs.credential IS 'The credential the run has waited for last.';
COMMENT ON COLUMN spec_workflow_runs.cooled_ms IS
  'How long the run has waited for its provider''s limits, all told, in milliseconds.';
