-- What attempts in containers have reached besides their model, and what they were refused.

CREATE TABLE spec_workflow_egress (
  run_id uuid NOT NULL,
  phase text NOT NULL,
  attempt integer NOT NULL,
  source uuid NOT NULL,
  host text NOT NULL CHECK (length(host) <= 255),
  port integer NOT NULL,
  outcome text NOT NULL CHECK (length(outcome) <= 64),
  requests bigint NOT NULL,
  bytes_up bigint NOT NULL,
  bytes_down bigint NOT NULL,
  open integer NOT NULL,
  updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (run_id, phase, attempt, source, host, port, outcome),
  FOREIGN KEY (run_id, phase, attempt)
    REFERENCES spec_workflow_task_states (run_id, phase, attempt) ON DELETE CASCADE
);
COMMENT ON TABLE spec_workflow_egress IS
  'What attempts in containers asked their gateway to connect them to, as sums; at most some 1,000 of one attempt.';
COMMENT ON COLUMN spec_workflow_egress.source IS
  'Whoever has counted: what several have counted is added up.';
COMMENT ON COLUMN spec_workflow_egress.host IS
  'As it was asked for, made printable where it is no name.';
COMMENT ON COLUMN spec_workflow_egress.port IS '0: none that could be read.';
COMMENT ON COLUMN spec_workflow_egress.outcome IS 'passed, or the reason why not.';
COMMENT ON COLUMN spec_workflow_egress.bytes_up IS 'From the agent.';
COMMENT ON COLUMN spec_workflow_egress.bytes_down IS 'To the agent.';
COMMENT ON COLUMN spec_workflow_egress.open IS 'Tunnels that were open when this was told.';

-- Sums only grow, so that an answer that was lost does no harm: told again they are the same. Of an
-- attempt that has many rows already, no new ones are taken: whoever makes up names fills no disk.
CREATE FUNCTION spec_workflow_gateway_record_egress(
  of_run uuid, of_phase text, of_attempt integer, told_by uuid, entries jsonb
) RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  INSERT INTO spec_workflow_egress AS known (
    run_id, phase, attempt, source, host, port, outcome, requests, bytes_up, bytes_down, open
  )
  SELECT task.run_id, task.phase, task.attempt, told_by, entry.host, entry.port, entry.outcome,
    entry.requests, entry."bytesUp", entry."bytesDown", entry.open
  FROM spec_workflow_task_states AS task
  CROSS JOIN LATERAL (
    SELECT * FROM jsonb_to_recordset(entries) AS one (
      host text, port integer, outcome text,
      requests bigint, "bytesUp" bigint, "bytesDown" bigint, open integer
    ) LIMIT 512
  ) AS entry
  WHERE task.run_id = of_run AND task.phase = of_phase AND task.attempt = of_attempt
    AND task.container_id IS NOT NULL
    AND (
      (
        SELECT count(*) FROM spec_workflow_egress AS other
        WHERE other.run_id = of_run AND other.phase = of_phase AND other.attempt = of_attempt
      ) < 512
      OR EXISTS (
        SELECT FROM spec_workflow_egress AS other
        WHERE other.run_id = of_run AND other.phase = of_phase AND other.attempt = of_attempt
          AND other.source = told_by AND other.host = entry.host AND other.port = entry.port
          AND other.outcome = entry.outcome
      )
    )
  ON CONFLICT (run_id, phase, attempt, source, host, port, outcome) DO UPDATE
  SET requests = greatest(known.requests, excluded.requests),
    bytes_up = greatest(known.bytes_up, excluded.bytes_up),
    bytes_down = greatest(known.bytes_down, excluded.bytes_down),
    open = excluded.open,
    updated_at = clock_timestamp();
END;
COMMENT ON FUNCTION spec_workflow_gateway_record_egress IS
  'Keeps how far an attempt''s ways out have come; the same sums twice are one.';

DO $$
DECLARE
  callable CONSTANT regprocedure :=
    'spec_workflow_gateway_record_egress(uuid, text, integer, uuid, jsonb)'::regprocedure;
BEGIN
  EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', callable);
  -- Where the role could not be made, docs/gateway.md has what an administrator does.
  IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'speckit_gateway') THEN
    EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO speckit_gateway', callable);
  END IF;
END
$$;
