-- Questions that pause a run, commands from outside, and runs that go on from another one.

ALTER TABLE spec_workflow_runs
  ADD COLUMN question_round integer NOT NULL DEFAULT 0,
  ADD COLUMN retry_of uuid REFERENCES spec_workflow_runs (id) ON DELETE SET NULL,
  ADD COLUMN first_phase_ix integer NOT NULL DEFAULT 0,
  ADD COLUMN changed_before boolean NOT NULL DEFAULT false,
  ADD CHECK (parked_for IS NULL OR outcome IS NULL);
COMMENT ON COLUMN spec_workflow_runs.question_round IS
  'How often the run has asked; while parked_for is input, the round that is open.';
COMMENT ON COLUMN spec_workflow_runs.retry_of IS 'The run this one goes on from.';
COMMENT ON COLUMN spec_workflow_runs.first_phase_ix IS
  'Index into pipeline of the first phase that is this run''s own; what came before was the other run''s.';
COMMENT ON COLUMN spec_workflow_runs.changed_before IS
  'The phases of the run it goes on from have changed the tree.';

CREATE TABLE spec_workflow_answers (
  run_id uuid NOT NULL REFERENCES spec_workflow_runs (id) ON DELETE CASCADE,
  round integer NOT NULL CHECK (round > 0),
  answers jsonb NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (run_id, round)
);
COMMENT ON TABLE spec_workflow_answers IS 'What people answered; one answer per round.';
COMMENT ON COLUMN spec_workflow_answers.answers IS
  'One text for each question of the round, in their order; null: the agent decides.';

ALTER TABLE spec_workflow_commands
  DROP CONSTRAINT spec_workflow_commands_command_check,
  ADD CHECK (command IN ('cancel', 'answer', 'resume', 'retry')),
  ADD COLUMN body_hash text NOT NULL DEFAULT '';
ALTER TABLE spec_workflow_commands ALTER COLUMN body_hash DROP DEFAULT;
COMMENT ON COLUMN spec_workflow_commands.body_hash IS
  'SHA-256 of the command in canonical JSON: the same id with another body is refused.';
COMMENT ON TABLE spec_workflow_commands IS 'Commands that were taken.';
