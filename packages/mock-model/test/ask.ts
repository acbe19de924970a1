/** The tools that Codex offers to models of each kind, as far as they matter. */
export const TOOLS = {
  /** A model that Codex does not know. */
  shell: { tools: [{ type: "function", name: "exec_command" }] },
  /** gpt-5.5 */
  patch: {
    tools: [
      { type: "function", name: "exec_command" },
      { type: "custom", name: "apply_patch" },
    ],
  },
  /** gpt-6: told in the input, and no `tools`. */
  code: {
    additional: {
      type: "additional_tools",
      role: "developer",
      tools: [
        {
          type: "namespace",
          name: "functions",
          tools: [{ type: "custom", name: "exec", description: "### `apply_patch`\n" }],
        },
      ],
    },
  },
} as const;

export interface Asked {
  readonly tools?: { readonly tools?: unknown; readonly additional?: unknown };
  /** The user's messages of this turn. */
  readonly prompt?: readonly string[];
  /** What the tools have given so far. */
  readonly outputs?: readonly string[];
  readonly headers?: Readonly<Record<string, string>>;
}

/** The body of a request as Codex makes one: everything that was said so far. */
export function bodyOf({ tools = TOOLS.shell, prompt = ["Hello"], outputs = [] }: Asked) {
  const { additional, ...top } = tools;
  return {
    model: "gpt-5.5",
    stream: true,
    ...top,
    input: [
      ...(additional === undefined ? [] : [additional]),
      { type: "message", role: "developer", content: [{ type: "input_text", text: "Rules" }] },
      ...prompt.map((text) => ({
        type: "message",
        role: "user",
        content: [{ type: "input_text", text }],
      })),
      ...outputs.flatMap((output, index) => [
        { type: "function_call", call_id: `call_${index + 1}`, name: "exec_command" },
        { type: "function_call_output", call_id: `call_${index + 1}`, output },
      ]),
    ],
  };
}

export function ask(baseUrl: string, asked: Asked = {}): Promise<Response> {
  return fetch(`${baseUrl}/responses`, {
    method: "POST",
    headers: { "content-type": "application/json", ...asked.headers },
    body: JSON.stringify(bodyOf(asked)),
  });
}
