import { z } from 'zod'

type JsonSchema = { [keyword: string]: unknown }

const isSchema = (value: unknown): value is JsonSchema =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The keywords of strict structured output that every provider with schemas takes; limits are checked by us. */
const kept = new Set([
  'type',
  'description',
  'properties',
  'required',
  'items',
  'enum',
  'anyOf',
  'additionalProperties',
])

/**
 * The JSON Schema of `schema` in the subset that strict structured output takes: every property required, none
 * besides, `anyOf` for unions, no limits. An optional property becomes one that may be null. Pure.
 */
export function adaptSchema(schema: z.ZodType): JsonSchema {
  const known = adapted.get(schema)
  if (known) return known
  const made = adapt(z.toJSONSchema(schema, { target: 'draft-7', io: 'input', unrepresentable: 'any' }))
  adapted.set(schema, made)
  return made
}

/** Making one takes longer than all else the router does; there are few, and they live as long as the process. */
const adapted = new WeakMap<z.ZodType, JsonSchema>()

function adapt(schema: JsonSchema): JsonSchema {
  const plain: JsonSchema = { ...schema }
  if ('const' in schema) plain.enum = [schema.const]
  if (Array.isArray(schema.oneOf)) plain.anyOf = schema.oneOf
  const out = Object.fromEntries(Object.entries(plain).filter(([keyword]) => kept.has(keyword)))
  if (Array.isArray(out.anyOf)) out.anyOf = out.anyOf.filter(isSchema).map(adapt)
  if (isSchema(out.items)) out.items = adapt(out.items)
  return isSchema(out.properties) ? closeObject(out, out.properties) : out
}

const takesNull = ({ anyOf }: JsonSchema): boolean =>
  Array.isArray(anyOf) && anyOf.some((one) => isSchema(one) && one.type === 'null')

function closeObject(schema: JsonSchema, properties: JsonSchema): JsonSchema {
  const required = new Set(Array.isArray(schema.required) ? schema.required : [])
  const closed = Object.entries(properties).map(([name, value]) => {
    const inner = adapt(isSchema(value) ? value : {})
    return [name, required.has(name) || takesNull(inner) ? inner : { anyOf: [inner, { type: 'null' }] }]
  })
  return {
    ...schema,
    properties: Object.fromEntries(closed),
    required: Object.keys(properties),
    additionalProperties: false,
  }
}
