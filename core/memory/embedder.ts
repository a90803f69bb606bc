/** How long every vector is: short ones are filled with zeros, which changes no angle; long ones are asked for so short. */
export const DIMENSIONS = 768

/** Turns texts into vectors, whose angles tell how alike the texts are. */
export type Embedder = {
  /** Whose vectors they are, `gemini:gemini-embedding-001`: those of different models are never compared. */
  name: string
  /**
   * One vector of DIMENSIONS numbers for each text, in their order. `document`: texts that are kept; `query`: a question.
   * Throws when there is no answer, or none in `signal`'s time.
   */
  embed(texts: readonly string[], as: 'document' | 'query', signal: AbortSignal): Promise<number[][]>
}

/** A vector of any length as one of DIMENSIONS numbers and of length one. Pure. */
export function fitted(vector: readonly number[]): number[] {
  const cut = Array.from({ length: DIMENSIONS }, (_, n) => vector[n] ?? 0)
  const length = Math.hypot(...cut)
  return length > 0 ? cut.map((x) => x / length) : cut
}

/** A vector as PostgreSQL takes it. Pure. */
export const vectorText = (vector: readonly number[]): string =>
  `[${vector.map((x) => Number(x.toFixed(7))).join(',')}]`
