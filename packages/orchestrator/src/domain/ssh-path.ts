/** Whether ssh can be given this path: absolute, and without what no quoting of ssh brings through. */
export function isSshPath(path: string): boolean {
  return path.startsWith("/") && !/["\\\p{Cc}]|\$\{/u.test(path);
}
