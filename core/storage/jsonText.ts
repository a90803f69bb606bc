/** An escape in JSON text that PostgreSQL's jsonb refuses: NUL, or a surrogate without its other half. */
const escapes = /\\(?:u0000|ud[89a-f][0-9a-f]{2}|.)/g

/**
 * A value as JSON text that jsonb takes: NUL and lone surrogates, which texts from outside may hold, become U+FFFD.
 * (JSON.stringify escapes surrogates only where they stand alone.)
 */
export const jsonText = (value: unknown): string =>
  JSON.stringify(value).replace(escapes, (found) => (found.length === 6 ? '\ufffd' : found))
