-- The truth about runs. Times are the database's; a lease, a due time or a wake-up time is never
-- computed from a worker's clock. docs/data-model.md is generated from this schema and its comments.

CREATE TABLE spec_workflow_deployment (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  only_one boolean NOT NULL DEFAULT true UNIQUE CHECK (only_one)
);
INSERT INTO spec_workflow_deployment DEFAULT VALUES;
COMMENT ON TABLE spec_workflow_deployment IS 'One row: whose runs these are.';
COMMENT ON COLUMN spec_workflow_deployment.id IS
  'Labels everything this deployment makes outside the database.';
COMMENT ON COLUMN spec_workflow_deployment.only_one IS 'Keeps the table at one row.';

CREATE TABLE spec_workflow_workers (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  hostname text NOT NULL,
  started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  seen_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  pg_started_at timestamptz
);
COMMENT ON TABLE spec_workflow_workers IS 'One row per worker process.';
COMMENT ON COLUMN spec_workflow_workers.id IS 'New for every process start, never reused.';
COMMENT ON COLUMN spec_workflow_workers.seen_at IS 'The worker says so with each heartbeat.';
COMMENT ON COLUMN spec_workflow_workers.pg_started_at IS
  'Start time of the database server on which this worker holds its session lock. Null: it holds '
  'none, so nothing can be told of it; another start time: the lock went with that server.';

CREATE TABLE spec_workflow_runs (
  id uuid PRIMARY KEY,
  request jsonb NOT NULL,
  request_hash text NOT NULL,
  idempotency_key text UNIQUE,
  repository text NOT NULL,
  git_remote text NOT NULL,
  branch text NOT NULL,
  agent text NOT NULL,
  pipeline text[] NOT NULL,

  -- What the phases found out.
  feature_directory text,
  feature_number integer,
  base_branch text,
  base_sha text,
  branch_old_sha text,
  tip_sha text,
  pushed boolean NOT NULL DEFAULT false,
  diff jsonb,

  -- Where the run is.
  status text NOT NULL GENERATED ALWAYS AS (
    CASE
      WHEN outcome IS NOT NULL THEN outcome
      WHEN parked_for = 'input' THEN 'needs_input'
      WHEN epoch = 0 THEN 'queued'
      ELSE 'in_progress'
    END
  ) STORED,
  outcome text CHECK (outcome IN ('succeeded', 'no_changes', 'failed', 'cancelled')),
  failure jsonb,
  phase_ix integer NOT NULL DEFAULT 0 CHECK (phase_ix >= 0),
  parked_for text CHECK (parked_for IN ('input')),
  cancel_requested_at timestamptz,

  -- Who may write: only the holder of this epoch.
  epoch bigint NOT NULL DEFAULT 0,
  lease_owner bigint REFERENCES spec_workflow_workers (id),
  lease_until timestamptz,
  handed_over boolean NOT NULL DEFAULT false,
  idle_claims integer NOT NULL DEFAULT 0,

  -- When to look again: not before due_at; the sweeper at wake_at, which is null only when all is done.
  due_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  wake_at timestamptz DEFAULT clock_timestamp() + interval '15 seconds',
  sweeps integer NOT NULL DEFAULT 0,

  -- Outbox: events up to sent_seq have been confirmed by the transport.
  last_seq bigint NOT NULL DEFAULT 0,
  sent_seq bigint NOT NULL DEFAULT 0,
  reply_to text,
  correlation_id text,

  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  started_at timestamptz,
  finished_at timestamptz,
  cleaned_at timestamptz,
  artifacts_expire_at timestamptz,

  CHECK ((cleaned_at IS NULL) = (wake_at IS NOT NULL)),
  CHECK (cleaned_at IS NULL OR outcome IS NOT NULL),
  CHECK ((outcome IS NULL) = (finished_at IS NULL)),
  CHECK ((lease_owner IS NULL) = (lease_until IS NULL)),
  CHECK (sent_seq <= last_seq)
);
COMMENT ON TABLE spec_workflow_runs IS
  'One row per run: request, progress, who may write, when to look next, outcome.';
COMMENT ON COLUMN spec_workflow_runs.request IS 'The request, as docs/messages.md shows it.';
COMMENT ON COLUMN spec_workflow_runs.request_hash IS
  'SHA-256 of the request as received, in canonical JSON, before defaults.';
COMMENT ON COLUMN spec_workflow_runs.repository IS
  'What people see: owner/name for GitHub, else the address.';
COMMENT ON COLUMN spec_workflow_runs.git_remote IS
  'What git is given: one address per repository, never with a credential.';
COMMENT ON COLUMN spec_workflow_runs.agent IS 'Name of the agent backend.';
COMMENT ON COLUMN spec_workflow_runs.pipeline IS
  'Phases in order; cleanup follows the outcome and is not among them.';
COMMENT ON COLUMN spec_workflow_runs.feature_directory IS
  'Allotted once, with feature_number: specs/<number>-<slug>.';
COMMENT ON COLUMN spec_workflow_runs.base_sha IS 'The commit the run began from.';
COMMENT ON COLUMN spec_workflow_runs.branch_old_sha IS
  'Where the branch stood at the remote when the run began: what the push expects. Null: nowhere.';
COMMENT ON COLUMN spec_workflow_runs.tip_sha IS 'The commit of the last good phase.';
COMMENT ON COLUMN spec_workflow_runs.status IS
  'For readers; follows from outcome, parked_for and epoch.';
COMMENT ON COLUMN spec_workflow_runs.outcome IS 'Set once; a trigger refuses any change.';
COMMENT ON COLUMN spec_workflow_runs.phase_ix IS
  'Index into pipeline of the phase that is next or running, from 0; only grows.';
COMMENT ON COLUMN spec_workflow_runs.parked_for IS 'What a person must give first.';
COMMENT ON COLUMN spec_workflow_runs.cancel_requested_at IS
  'Wins over any other outcome that is committed later.';
COMMENT ON COLUMN spec_workflow_runs.epoch IS
  'Fencing number: each claim adds 1, and every write of an owner names it. 0: never claimed.';
COMMENT ON COLUMN spec_workflow_runs.lease_owner IS 'The worker that may write, until lease_until.';
COMMENT ON COLUMN spec_workflow_runs.handed_over IS
  'The last owner gave the run back in good order: the next claim is no sign of a crash.';
COMMENT ON COLUMN spec_workflow_runs.idle_claims IS
  'Claims since the last commit of an attempt, without those after a hand-over.';
COMMENT ON COLUMN spec_workflow_runs.due_at IS 'Not before: nobody may claim the run earlier.';
COMMENT ON COLUMN spec_workflow_runs.wake_at IS
  'When the sweeper looks. Null only when the run is cleaned up.';
COMMENT ON COLUMN spec_workflow_runs.sweeps IS
  'Looks of the sweeper since the last claim; each waits longer than the one before.';
COMMENT ON COLUMN spec_workflow_runs.last_seq IS 'Number of the newest event.';
COMMENT ON COLUMN spec_workflow_runs.sent_seq IS
  'Events up to this one have been confirmed by the transport.';
COMMENT ON COLUMN spec_workflow_runs.reply_to IS 'The queue that gets the result.';
COMMENT ON COLUMN spec_workflow_runs.cleaned_at IS 'The run is over: nothing of it is left to do.';
COMMENT ON COLUMN spec_workflow_runs.artifacts_expire_at IS
  'Artifacts are kept at least until then.';

CREATE INDEX spec_workflow_runs_wake ON spec_workflow_runs (wake_at) WHERE wake_at IS NOT NULL;
CREATE INDEX spec_workflow_runs_never_claimed ON spec_workflow_runs (id) WHERE epoch = 0;
CREATE INDEX spec_workflow_runs_newest ON spec_workflow_runs (created_at DESC, id);
CREATE INDEX spec_workflow_runs_unsent ON spec_workflow_runs (created_at) WHERE sent_seq < last_seq;
CREATE INDEX spec_workflow_runs_features ON spec_workflow_runs (git_remote, feature_number);
CREATE UNIQUE INDEX spec_workflow_runs_live_branch ON spec_workflow_runs (git_remote, branch)
  WHERE outcome IS NULL;
COMMENT ON INDEX spec_workflow_runs_wake IS 'The sweeper''s question.';
COMMENT ON INDEX spec_workflow_runs_never_claimed IS 'The backlog.';
COMMENT ON INDEX spec_workflow_runs_newest IS 'Lists of runs.';
COMMENT ON INDEX spec_workflow_runs_unsent IS 'Events that a dead owner left unsent.';
COMMENT ON INDEX spec_workflow_runs_features IS 'The highest number allotted for a repository.';
COMMENT ON INDEX spec_workflow_runs_live_branch IS 'A live run''s branch is its own.';

CREATE FUNCTION spec_workflow_outcome_is_final() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'run % has ended as %: an outcome never changes', OLD.id, OLD.outcome
    USING ERRCODE = 'integrity_constraint_violation';
END
$$;
CREATE TRIGGER spec_workflow_outcome_is_final
  BEFORE UPDATE OF outcome ON spec_workflow_runs
  FOR EACH ROW WHEN (OLD.outcome IS NOT NULL AND NEW.outcome IS DISTINCT FROM OLD.outcome)
  EXECUTE FUNCTION spec_workflow_outcome_is_final();

CREATE TABLE spec_workflow_task_states (
  run_id uuid NOT NULL REFERENCES spec_workflow_runs (id) ON DELETE CASCADE,
  phase text NOT NULL,
  attempt integer NOT NULL CHECK (attempt >= 0),
  state text NOT NULL CHECK (
    state IN ('running', 'succeeded', 'failed', 'interrupted', 'skipped', 'cancelled')
  ),
  epoch bigint NOT NULL,
  ticket_used_at timestamptz,
  takeovers integer NOT NULL DEFAULT 0,
  failure jsonb,
  findings jsonb NOT NULL DEFAULT '[]',
  open_questions jsonb NOT NULL DEFAULT '[]',
  usage jsonb,
  changed boolean NOT NULL DEFAULT false,
  started_at timestamptz,
  ended_at timestamptz,
  PRIMARY KEY (run_id, phase, attempt),
  CHECK ((state = 'running') = (ended_at IS NULL)),
  CHECK ((attempt = 0) = (started_at IS NULL)),
  CHECK (attempt > 0 OR state IN ('skipped', 'cancelled'))
);
COMMENT ON TABLE spec_workflow_task_states IS 'One row per run, phase and attempt.';
COMMENT ON COLUMN spec_workflow_task_states.attempt IS
  'Ordinal of the start, from 1, never reused; 0 for a phase that never started.';
COMMENT ON COLUMN spec_workflow_task_states.epoch IS 'Of the owner that opened it.';
COMMENT ON COLUMN spec_workflow_task_states.ticket_used_at IS
  'The single start ticket: one agent start per attempt.';
COMMENT ON COLUMN spec_workflow_task_states.findings IS 'Postconditions that did not hold.';
COMMENT ON COLUMN spec_workflow_task_states.usage IS 'Tokens and cost, also of a failed attempt.';
COMMENT ON COLUMN spec_workflow_task_states.changed IS 'The tree is another than before the phase.';
CREATE UNIQUE INDEX spec_workflow_task_states_one_running ON spec_workflow_task_states (run_id)
  WHERE state = 'running';
CREATE UNIQUE INDEX spec_workflow_task_states_one_success ON spec_workflow_task_states (run_id, phase)
  WHERE state = 'succeeded';
COMMENT ON INDEX spec_workflow_task_states_one_running IS 'At most one attempt of a run is open.';
COMMENT ON INDEX spec_workflow_task_states_one_success IS 'A phase succeeds once.';

CREATE TABLE spec_workflow_events (
  run_id uuid NOT NULL REFERENCES spec_workflow_runs (id) ON DELETE CASCADE,
  seq bigint NOT NULL CHECK (seq > 0),
  type text NOT NULL,
  phase text,
  attempt integer,
  data jsonb NOT NULL DEFAULT '{}',
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (run_id, seq)
);
COMMENT ON TABLE spec_workflow_events IS
  'What happened, written in the transaction of what it tells: the outbox of events and replies.';
COMMENT ON COLUMN spec_workflow_events.seq IS 'From 1 without a gap, per run.';
COMMENT ON COLUMN spec_workflow_events.type IS 'The routing key.';
COMMENT ON COLUMN spec_workflow_events.data IS 'As docs/asyncapi.yaml shows it for the type.';

CREATE TABLE spec_workflow_artifacts (
  run_id uuid NOT NULL REFERENCES spec_workflow_runs (id) ON DELETE CASCADE,
  name text NOT NULL,
  bytes bigint NOT NULL CHECK (bytes >= 0),
  sha256 text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (run_id, name)
);
COMMENT ON TABLE spec_workflow_artifacts IS
  'Files kept as evidence; their content is in the state folder of the worker.';
COMMENT ON COLUMN spec_workflow_artifacts.name IS 'Path below the folder of the run.';

CREATE TABLE spec_workflow_checkpoints (
  run_id uuid PRIMARY KEY REFERENCES spec_workflow_runs (id) ON DELETE CASCADE,
  tip_sha text NOT NULL,
  bundle bytea NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE spec_workflow_checkpoints IS
  'The last good tree of a run: what it resumes from on any host.';
COMMENT ON COLUMN spec_workflow_checkpoints.bundle IS 'git bundle from base_sha to tip_sha.';
ALTER TABLE spec_workflow_checkpoints ALTER COLUMN bundle SET STORAGE EXTERNAL;

CREATE TABLE spec_workflow_commands (
  id uuid PRIMARY KEY,
  run_id uuid NOT NULL REFERENCES spec_workflow_runs (id) ON DELETE CASCADE,
  command text NOT NULL CHECK (command IN ('cancel')),
  created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE spec_workflow_commands IS 'Commands to runs.';
COMMENT ON COLUMN spec_workflow_commands.id IS
  'The sender''s: the same command twice is one.';
