import { z } from 'zod'

/* Kinds of values that settings of language models take. */

/** `off`, or what the schema takes; the value is null when off. */
export const maybe = <T>(schema: z.ZodType<T, string>) =>
  z.string().transform((text, ctx): T | null => {
    if (text === 'off') return null
    const read = schema.safeParse(text)
    if (read.success) return read.data
    ctx.addIssue({ code: 'custom', message: read.error.issues[0]?.message ?? 'something else' })
    return z.NEVER
  })

/** A number of tokens. */
export const tokens = z
  .string()
  .regex(/^[1-9]\d{0,11}$/, 'a whole number of tokens, or off')
  .transform(Number)

/** US dollars. */
export const amount = z
  .string()
  .regex(/^\d{1,6}(\.\d{1,6})?$/, 'US dollars such as 2 or 0.50, or off')
  .transform(Number)

const parts = (text: string): string[] => text.split(',').flatMap((part) => part.trim() || [])
const split = (text: string, at: string): [string, string] => {
  const index = text.indexOf(at)
  return index < 0 ? [text, ''] : [text.slice(0, index).trim(), text.slice(index + 1).trim()]
}

const CHAIN =
  'provider:model, or several with commas between them, such as openai:gpt-5.6-luna,ollama:gpt-oss:20b'

/** Models in the order they are asked: `openai:gpt-5.6-luna,ollama:gpt-oss:20b`. What follows the first colon is the model. */
export const chain = <P extends string>(isProvider: (name: string) => name is P) =>
  z.string().transform((text, ctx): { provider: P; model: string }[] =>
    parts(text).flatMap((part) => {
      const [provider, model] = split(part, ':')
      if (isProvider(provider) && model) return [{ provider, model }]
      ctx.addIssue({ code: 'custom', message: CHAIN })
      return []
    }),
  )

const PRICES =
  'provider:model=in/out or in/out/cached in US dollars for a million tokens, such as openai:gpt-5.6-luna=0.2/1.2/0.02'

/** Prices by `provider:model`. Without the third, tokens kept by the provider cost what others do. */
export const prices = <P extends string>(isProvider: (name: string) => name is P) =>
  z.string().transform((text, ctx): Record<string, { in: number; out: number; cached: number }> => {
    const rows = parts(text).map((part) => {
      const [name, value] = split(part, '=')
      const [provider, model] = split(name, ':')
      const [input = Number.NaN, out = Number.NaN, cached = input] = value.split('/').map(Number)
      if (!isProvider(provider) || !model || ![input, out, cached].every((n) => n >= 0))
        ctx.addIssue({ code: 'custom', message: PRICES })
      return [`${provider}:${model}`, { in: input, out, cached }] as const
    })
    return Object.fromEntries(rows)
  })
