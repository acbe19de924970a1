import { hostNameOf } from "./host-name.ts";
import { AGENT_PHASES, type AgentPhase } from "./phase.ts";

/** One line of a deployment's allow-list: where agents may connect to besides their model. */
export interface EgressRule {
  /** In the form of {@link hostNameOf}. */
  readonly host: string;
  /** Names below the host are meant, at whatever depth, and not the host itself. */
  readonly isSuffix: boolean;
  readonly port: number;
  /** `tls`: the first bytes must be a ClientHello to the very host. `tcp`: nothing is looked at. */
  readonly protocol: "tls" | "tcp";
  readonly phases: readonly AgentPhase[];
}

const DEFAULT_PORT = 443;
const FORM = /^(\*\.)?([^*:/@]+)(?::(\d{1,5}))?(\/tcp)?(?:@([a-z+]+))?$/;

/**
 * Reads `host[:port][/tcp][@phase+phase]`, for example `packages.example.org`, `*.example.org:8443`,
 * `mirror.example.org:5432/tcp@plan+tasks`.
 *
 * @returns undefined for anything else
 */
export function parseEgressRule(text: string): EgressRule | undefined {
  const [, star, name = "", digits, tcp, phases] = FORM.exec(text) ?? [];
  const host = hostNameOf(name);
  const port = digits === undefined ? DEFAULT_PORT : Number(digits);
  const asked = phases?.split("+") ?? AGENT_PHASES;
  const known = AGENT_PHASES.filter((phase) => asked.includes(phase));
  if (host === undefined || port < 1 || port > 65_535 || known.length !== asked.length) {
    return undefined;
  }
  const protocol = tcp === undefined ? "tls" : "tcp";
  return { host, isSuffix: star !== undefined, port, protocol, phases: known };
}

/** What a phase may use of the list. */
export function rulesFor(phase: string, rules: readonly EgressRule[]): readonly EgressRule[] {
  return rules.filter(({ phases }) => (phases as readonly string[]).includes(phase));
}

/** The rule that lets a phase connect there; one that looks at the first bytes goes before one that does not. */
export function ruleThatAllows(
  rules: readonly EgressRule[],
  target: { readonly phase: string; readonly host: string; readonly port: number },
): EgressRule | undefined {
  const fitting = rulesFor(target.phase, rules).filter(
    ({ host, isSuffix, port }) =>
      port === target.port && (isSuffix ? target.host.endsWith(`.${host}`) : target.host === host),
  );
  return fitting.find(({ protocol }) => protocol === "tls") ?? fitting[0];
}

/** As it is written in the list, without its phases. */
export function egressRuleText({ host, isSuffix, port, protocol }: EgressRule): string {
  return `${isSuffix ? "*." : ""}${host}:${port}${protocol === "tcp" ? "/tcp" : ""}`;
}
