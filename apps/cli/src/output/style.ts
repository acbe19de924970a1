import { styleText } from "node:util";

type Format = Parameters<typeof styleText>[0];

/** Text in a colour, where the stream is a terminal that shows it. */
export function styled(
  format: Format,
  text: string,
  stream: NodeJS.WriteStream = process.stdout,
): string {
  return stream.isTTY ? styleText(format, text, { stream }) : text;
}

export function seconds(ms: number | null | undefined): string {
  return ms === null || ms === undefined ? "" : `${(ms / 1000).toFixed(1)} s`;
}
