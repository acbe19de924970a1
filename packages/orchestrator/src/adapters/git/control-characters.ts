/** Whether a text, or bytes as a latin1 string, has an ASCII control character. */
export function hasControlCharacter(text: string): boolean {
  for (let ix = 0; ix < text.length; ix++) {
    const code = text.charCodeAt(ix);
    if (code < 0x20 || code === 0x7f) {
      return true;
    }
  }
  return false;
}
