-- Results that people approve or reject before a run goes on.

ALTER TABLE spec_workflow_task_states
  DROP CONSTRAINT spec_workflow_task_states_state_check,
  ADD CONSTRAINT spec_workflow_task_states_state_check CHECK (
    state IN ('running', 'proposed', 'succeeded', 'failed', 'interrupted', 'skipped', 'cancelled')
  );
CREATE UNIQUE INDEX spec_workflow_task_states_one_proposed ON spec_workflow_task_states (run_id)
  WHERE state = 'proposed';
COMMENT ON INDEX spec_workflow_task_states_one_proposed IS
  'At most one result of a run waits for approval.';

CREATE TABLE spec_workflow_proposals (
  run_id uuid NOT NULL,
  phase text NOT NULL,
  attempt integer NOT NULL,
  tip_sha text NOT NULL,
  facts jsonb NOT NULL,
  told jsonb NOT NULL,
  bundle bytea,
  decision text CHECK (decision IN ('approved', 'rejected')),
  comment text,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  decided_at timestamptz,
  PRIMARY KEY (run_id, phase, attempt),
  FOREIGN KEY (run_id, phase, attempt)
    REFERENCES spec_workflow_task_states (run_id, phase, attempt) ON DELETE CASCADE,
  CHECK ((decision IS NULL) = (decided_at IS NULL)),
  CHECK ((decision IS NOT DISTINCT FROM 'rejected') = (comment IS NOT NULL))
);
COMMENT ON TABLE spec_workflow_proposals IS
  'Results of phases that people are asked about, and what they decided. A result that is approved '
  'becomes the run''s when an owner concludes its attempt; until then the run''s tip is the one before.';
COMMENT ON COLUMN spec_workflow_proposals.tip_sha IS 'The commit of the result.';
COMMENT ON COLUMN spec_workflow_proposals.facts IS
  'What becomes the run''s when the result is approved.';
COMMENT ON COLUMN spec_workflow_proposals.told IS 'For the event of the phase''s success.';
COMMENT ON COLUMN spec_workflow_proposals.bundle IS
  'git bundle from base_sha to tip_sha, until the attempt is concluded; null: the tree is as before.';
COMMENT ON COLUMN spec_workflow_proposals.decision IS 'Null: nobody has decided.';
COMMENT ON COLUMN spec_workflow_proposals.comment IS
  'Of a rejected one: what is to be done otherwise.';
ALTER TABLE spec_workflow_proposals ALTER COLUMN bundle SET STORAGE EXTERNAL;

COMMENT ON COLUMN spec_workflow_runs.parked_for IS
  'What the run waits for beside due_at: input (a person''s answers or, where an attempt is proposed, '
  'a decision about it), or a credential that cools down.';

ALTER TABLE spec_workflow_commands
  DROP CONSTRAINT spec_workflow_commands_command_check,
  ADD CONSTRAINT spec_workflow_commands_command_check CHECK (
    command IN ('cancel', 'answer', 'approve', 'reject', 'resume', 'retry')
  );
