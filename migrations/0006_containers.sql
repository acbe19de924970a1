-- Jobs that outlive their workers: where they run, what they have called, and what their gateway may ask.

ALTER TABLE spec_workflow_task_states
  ADD COLUMN engine_id text,
  ADD COLUMN container_id text,
  ADD COLUMN token_key text,
  ADD COLUMN heard_at timestamptz,
  ADD CHECK ((engine_id IS NULL) = (container_id IS NULL)),
  ADD CHECK ((engine_id IS NULL) = (token_key IS NULL));
COMMENT ON COLUMN spec_workflow_task_states.engine_id IS
  'The engine its container is on. Null: it ends with its worker.';
COMMENT ON COLUMN spec_workflow_task_states.container_id IS
  'Stored before the container is started, which happens by this id only.';
COMMENT ON COLUMN spec_workflow_task_states.token_key IS
  'Public key that its tokens are checked with.';
COMMENT ON COLUMN spec_workflow_task_states.heard_at IS
  'When its model provider has last sent something, as far as its gateway has told.';

ALTER TABLE spec_workflow_workers
  ADD COLUMN engine_id text,
  ADD COLUMN engine_seen_at timestamptz;
COMMENT ON COLUMN spec_workflow_workers.engine_id IS 'The engine it starts containers on.';
COMMENT ON COLUMN spec_workflow_workers.engine_seen_at IS
  'When its engine has last answered, while it consumes: an engine nobody hears of for 90 s is lost.';
CREATE INDEX spec_workflow_workers_engine ON spec_workflow_workers (engine_id, engine_seen_at DESC)
  WHERE engine_id IS NOT NULL;
COMMENT ON INDEX spec_workflow_workers_engine IS 'Whether an engine is lost.';

CREATE TABLE spec_workflow_model_calls (
  run_id uuid NOT NULL,
  phase text NOT NULL,
  attempt integer NOT NULL,
  id bigint GENERATED ALWAYS AS IDENTITY,
  call_id uuid NOT NULL UNIQUE,
  call jsonb NOT NULL,
  input_tokens bigint,
  cached_input_tokens bigint,
  output_tokens bigint,
  cost_usd double precision,
  recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (run_id, phase, attempt, id),
  FOREIGN KEY (run_id, phase, attempt)
    REFERENCES spec_workflow_task_states (run_id, phase, attempt) ON DELETE CASCADE
);
COMMENT ON TABLE spec_workflow_model_calls IS
  'Ended calls of attempts in containers to their model, as their gateway saw them.';
COMMENT ON COLUMN spec_workflow_model_calls.id IS 'Grows in the order in which they were recorded.';
COMMENT ON COLUMN spec_workflow_model_calls.call_id IS
  'The gateway''s: a call that is recorded twice is one.';
COMMENT ON COLUMN spec_workflow_model_calls.call IS 'Status, outcome, model, times; never a text.';
COMMENT ON COLUMN spec_workflow_model_calls.input_tokens IS
  'Cached ones included. Null, with the other sums: the provider has not told.';
COMMENT ON COLUMN spec_workflow_model_calls.output_tokens IS 'Reasoning included.';
COMMENT ON COLUMN spec_workflow_model_calls.cost_usd IS 'Null: price or usage is not known.';

ALTER TABLE spec_workflow_runs
  DROP CONSTRAINT spec_workflow_runs_parked_for_check,
  ADD CONSTRAINT spec_workflow_runs_parked_for_check
    CHECK (parked_for IN ('input', 'credential', 'fence'));
COMMENT ON COLUMN spec_workflow_runs.parked_for IS
  'What the run waits for beside due_at: a person''s answers, a credential that cools down, or that a lost engine can do nothing for it any more.';

-- What a gateway may do: call these functions, and nothing else (docs/gateway.md). They run with the
-- rights of their owner. Their bodies were parsed here, so that no search_path of a caller, and no
-- table of the same name, can give them another meaning.

CREATE FUNCTION spec_workflow_gateway_deployment() RETURNS uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT deployment.id FROM spec_workflow_deployment AS deployment;
END;
COMMENT ON FUNCTION spec_workflow_gateway_deployment IS 'Whose runs these are.';

-- The epoch is not asked for: the container outlives the owner that has started it.
CREATE FUNCTION spec_workflow_gateway_use_start_ticket(of_run uuid, of_phase text, of_attempt integer)
RETURNS boolean
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  WITH used AS (
    UPDATE spec_workflow_task_states AS task
    SET ticket_used_at = clock_timestamp()
    FROM spec_workflow_runs AS run
    WHERE run.id = task.run_id
      AND task.run_id = of_run AND task.phase = of_phase AND task.attempt = of_attempt
      AND task.state = 'running' AND task.container_id IS NOT NULL AND task.ticket_used_at IS NULL
      AND run.outcome IS NULL AND run.cancel_requested_at IS NULL
    RETURNING task.attempt
  )
  SELECT EXISTS (SELECT FROM used);
END;
COMMENT ON FUNCTION spec_workflow_gateway_use_start_ticket IS
  'Uses the attempt''s single start ticket. False: it was used, or the attempt is not live.';

-- A row that somebody else holds is not waited for: whether an attempt is live must be known soon, and
-- what was heard is told again with the next question.
CREATE FUNCTION spec_workflow_gateway_live_attempts(asked jsonb)
RETURNS TABLE (
  run_id uuid, phase text, attempt integer, token_key text, calls bigint,
  input_tokens bigint, cached_input_tokens bigint, output_tokens bigint, cost_usd double precision
)
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  WITH live AS MATERIALIZED (
    SELECT task.run_id AS run, task.phase AS of_phase, task.attempt AS ordinal, task.token_key AS key,
      clock_timestamp() - abs(name."heardAgoMs") * interval '1 millisecond' AS heard
    FROM jsonb_to_recordset(asked)
      AS name ("runId" uuid, phase text, attempt integer, "heardAgoMs" double precision)
    JOIN spec_workflow_task_states AS task
      ON task.run_id = name."runId" AND task.phase = name.phase AND task.attempt = name.attempt
    JOIN spec_workflow_runs AS owner ON owner.id = task.run_id
    WHERE task.state = 'running' AND task.container_id IS NOT NULL
      AND owner.outcome IS NULL AND owner.cancel_requested_at IS NULL
  ), heard AS MATERIALIZED (
    SELECT task.run_id AS run, task.phase AS of_phase, task.attempt AS ordinal, live.heard AS heard
    FROM spec_workflow_task_states AS task
    JOIN live ON task.run_id = live.run AND task.phase = live.of_phase AND task.attempt = live.ordinal
    WHERE task.heard_at IS NULL AND live.heard IS NOT NULL OR task.heard_at < live.heard
    FOR NO KEY UPDATE OF task SKIP LOCKED
  ), noted AS (
    UPDATE spec_workflow_task_states AS task SET heard_at = heard.heard
    FROM heard
    WHERE task.run_id = heard.run AND task.phase = heard.of_phase AND task.attempt = heard.ordinal
  )
  SELECT live.run, live.of_phase, live.ordinal, live.key, sums.*
  FROM live
  CROSS JOIN LATERAL (
    SELECT count(*),
      coalesce(sum(call.input_tokens), 0)::bigint,
      coalesce(sum(call.cached_input_tokens), 0)::bigint,
      coalesce(sum(call.output_tokens), 0)::bigint,
      coalesce(sum(call.cost_usd), 0)
    FROM spec_workflow_model_calls AS call
    WHERE call.run_id = live.run AND call.phase = live.of_phase AND call.attempt = live.ordinal
  ) AS sums;
END;
COMMENT ON FUNCTION spec_workflow_gateway_live_attempts IS
  'Which of the named attempts may call their model, and what they have used; notes when each was heard.';

-- Also of an attempt that has ended meanwhile: what it has used counts.
CREATE FUNCTION spec_workflow_gateway_record_call(
  of_run uuid, of_phase text, of_attempt integer, its_id uuid, call jsonb
) RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  INSERT INTO spec_workflow_model_calls (
    run_id, phase, attempt, call_id, call, input_tokens, cached_input_tokens, output_tokens, cost_usd
  )
  SELECT task.run_id, task.phase, task.attempt, its_id, call,
    (call #>> '{usage,inputTokens}')::bigint,
    (call #>> '{usage,cachedInputTokens}')::bigint,
    (call #>> '{usage,outputTokens}')::bigint,
    (call ->> 'costUsd')::double precision
  FROM spec_workflow_task_states AS task
  WHERE task.run_id = of_run AND task.phase = of_phase AND task.attempt = of_attempt
    AND task.container_id IS NOT NULL
  ON CONFLICT (call_id) DO NOTHING;
END;
COMMENT ON FUNCTION spec_workflow_gateway_record_call IS
  'Keeps what an ended call came to; the same id twice is one call.';

CREATE FUNCTION spec_workflow_gateway_cooling_for(credential text) RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT coalesce(max(greatest(0, ceil(
    extract(epoch FROM known.cooling_until - clock_timestamp()) * 1000))), 0)::bigint
  FROM spec_workflow_credentials AS known WHERE known.name = credential;
END;
COMMENT ON FUNCTION spec_workflow_gateway_cooling_for IS
  'Milliseconds until the credential may be used again; 0: now.';

CREATE FUNCTION spec_workflow_gateway_cool_down(credential text, for_ms double precision, why text)
RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  INSERT INTO spec_workflow_credentials AS known (name, cooling_until, reason)
  VALUES (
    credential,
    clock_timestamp() + least(greatest(for_ms, 0), 86400000) * interval '1 millisecond',
    why
  )
  ON CONFLICT (name) DO UPDATE
  SET cooling_until = excluded.cooling_until, reason = excluded.reason, updated_at = clock_timestamp()
  WHERE known.cooling_until < excluded.cooling_until;
END;
COMMENT ON FUNCTION spec_workflow_gateway_cool_down IS
  'The credential is not used for so long, at most a day; never shortens a longer cool-down.';

DO $$
DECLARE
  callable regprocedure;
BEGIN
  -- Roles are the whole server's: another database of it may have made this one, or be at it now.
  BEGIN
    CREATE ROLE speckit_gateway NOLOGIN;
  EXCEPTION
    WHEN duplicate_object OR unique_violation OR insufficient_privilege THEN NULL;
  END;
  FOR callable IN
    SELECT oid FROM pg_catalog.pg_proc
    WHERE proname LIKE 'spec\_workflow\_gateway\_%' AND pronamespace = current_schema()::regnamespace
  LOOP
    EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', callable);
    -- Where it could not be made, docs/gateway.md has what an administrator does.
    IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'speckit_gateway') THEN
      EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO speckit_gateway', callable);
    END IF;
  END LOOP;
  IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'speckit_gateway') THEN
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO speckit_gateway', current_schema());
  END IF;
END
$$;
