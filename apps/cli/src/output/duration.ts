/** A duration as a table shows it: `850 ms`, `12.3 s`, `4m 05s`, `2h 03m`; `-` for none. */
export function shortDuration(ms: number | null): string {
  if (ms === null) {
    return "-";
  }
  if (ms < 1_000) {
    return `${ms} ms`;
  }
  if (ms < 59_950) {
    return `${(ms / 1_000).toFixed(1)} s`;
  }
  const seconds = Math.round(ms / 1_000);
  const [hours, minutes] = [Math.floor(seconds / 3_600), Math.floor((seconds % 3_600) / 60)];
  const two = (count: number): string => String(count).padStart(2, "0");
  return hours > 0 ? `${hours}h ${two(minutes)}m` : `${minutes}m ${two(seconds % 60)}s`;
}
