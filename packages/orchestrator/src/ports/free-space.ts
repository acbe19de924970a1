/** How many bytes this process may still write into its state folder. Rejects where nobody can tell. */
export type FreeSpace = () => Promise<number>;
