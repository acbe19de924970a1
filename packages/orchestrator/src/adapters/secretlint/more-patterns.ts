/** What Secretlint's recommended rules leave out. Each match is a secret, and none can take long. */
export const MORE_PATTERNS: readonly { readonly rule: string; readonly pattern: RegExp }[] = [
  {
    // Theirs wants 100 characters, which the short keys of elliptic curves do not have.
    rule: "speckit/PrivateKey",
    pattern: /-----BEGIN (?:[A-Z]{2,10} )?PRIVATE KEY-----(?:\s|\\[nr]){1,8}[A-Za-z0-9+/]{40,100}/g,
  },
  { rule: "speckit/GoogleApiKey", pattern: /\bAIza[\w-]{35}(?![\w-])/g },
];
