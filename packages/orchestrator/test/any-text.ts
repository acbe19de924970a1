import fc from "fast-check";

/**
 * Text of any UTF-16 code units, lone surrogates and NUL included. Fast-check's own `binary` unit
 * takes a second to be made.
 */
export const anyText: fc.Arbitrary<string> = fc
  .array(
    fc.oneof(
      fc.integer({ min: 0x20, max: 0x7e }),
      fc.integer({ min: 0, max: 0xffff }),
      fc.integer({ min: 0xd800, max: 0xdfff }),
    ),
    { maxLength: 60 },
  )
  .map((units) => String.fromCharCode(...units));
