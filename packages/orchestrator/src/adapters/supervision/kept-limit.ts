/** Of the files a job's HOME is asked for, in all: what would go over it is left out. */
export const KEPT_MAX_BYTES = 16 * 1024 * 1024;
