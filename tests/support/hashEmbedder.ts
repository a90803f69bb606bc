import { createHash } from 'node:crypto'
import { DIMENSIONS, type Embedder, fitted } from '../../core/memory/embedder.ts'

/*
 * Embeddings without a provider, the same on every machine: each word and each three letters of it push the vector in a
 * direction of their own. Texts with like words lie near each other; of meaning it knows nothing.
 */

const directions = new Map<string, number[]>()

/** Where a piece of text points: eight of the axes, each up or down, by its hash. */
function directionOf(piece: string): number[] {
  const known = directions.get(piece)
  if (known) return known
  const hash = createHash('sha256').update(piece).digest()
  const axes = Array.from({ length: 8 }, (_, n) => hash.readUInt16LE(2 * n))
  directions.set(piece, axes)
  return axes
}

const piecesOf = (word: string): { piece: string; weight: number }[] => [
  { piece: word, weight: 1 },
  ...Array.from({ length: Math.max(0, word.length - 2) }, (_, n) => ({
    piece: `~${word.slice(n, n + 3)}`,
    weight: 0.4,
  })),
]

export function hashVector(text: string): number[] {
  const vector = new Array<number>(DIMENSIONS).fill(0)
  for (const word of text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [])
    for (const { piece, weight } of piecesOf(word))
      for (const axis of directionOf(piece)) {
        const n = axis % DIMENSIONS
        vector[n] = (vector[n] ?? 0) + (axis & 0x8000 ? weight : -weight)
      }
  return fitted(vector)
}

export const hashEmbedder: Embedder = {
  name: 'tests:hash',
  embed: (texts) => Promise.resolve(texts.map(hashVector)),
}
