/** Largest request, in bytes of its JSON text: larger ones are refused before they are parsed. */
export const REQUEST_MAX_BYTES = 256 * 1024;
