/** A duration for people, in at most two units: `40 s`, `2 min 5 s`, `3 h`, `6 d 4 h`. */
export function durationInWords(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  const units = [
    [86_400, "d"],
    [3_600, "h"],
    [60, "min"],
    [1, "s"],
  ] as const;
  const first = units.findIndex(([size]) => seconds >= size);
  if (first === -1) {
    return "0 s";
  }
  let left = seconds;
  return units
    .slice(first, first + 2)
    .flatMap(([size, unit]) => {
      const count = Math.floor(left / size);
      left -= count * size;
      return count === 0 ? [] : [`${count} ${unit}`];
    })
    .join(" ");
}

/** A moment as people compare it with now: `in 40 s`, `2 min ago`. */
export function relativeTo(now: Date, moment: Date): string {
  const ms = moment.getTime() - now.getTime();
  const words = durationInWords(Math.abs(ms));
  return ms < 0 ? `${words} ago` : `in ${words}`;
}
