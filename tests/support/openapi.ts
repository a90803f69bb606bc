import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'

type Json = Record<string, unknown>
type Operation = {
  security: { token: string[] }[]
  responses: Record<string, { content?: Record<string, { schema: Json }> }>
}
type Document = { paths: Record<string, Record<string, Operation>> }

/** What a server says of itself, for holding its answers against it. */
export class Described {
  readonly document: Document
  /** `GET /v1/runs 200` for each answer that was checked. */
  readonly seen = new Set<string>()
  readonly #ajv = new Ajv2020({ strict: false, allErrors: true })
  readonly #known = new Map<string, ValidateFunction>()

  constructor(document: unknown) {
    this.document = document as Document
    // ajv-formats is CommonJS: its function is the default of its default.
    ;(formats as unknown as { default: typeof formats.default }).default(this.#ajv)
    this.#ajv.addSchema(closed(document) as Json, 'api')
  }

  /** The template of an address, when the document has it. */
  pathOf(path: string): string | undefined {
    const [bare = ''] = path.split('?')
    const fits = (template: string) =>
      new RegExp(`^${template.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(bare)
    const templates = Object.keys(this.document.paths).filter(fits)
    return templates.find((template) => !template.includes('{')) ?? templates[0]
  }

  /** Throws when the document does not know this answer, or the body is not as it says. */
  check(method: string, path: string, status: number, media: string, body: unknown): void {
    const template = this.pathOf(path)
    const operation = template && this.document.paths[template]?.[method.toLowerCase()]
    if (!operation) return
    const name = `${method} ${template} ${status}`
    const response = operation.responses[status]
    if (!response) throw new Error(`${name} is not in the document: ${JSON.stringify(body)}`)
    this.seen.add(name)
    const [type = ''] = media.split(';')
    const documented = Object.keys(response.content ?? {}).find((known) => known.split(';')[0] === type)
    if (!documented) {
      if (response.content || body !== '')
        throw new Error(`${name} is not of a type in the document: ${media}`)
      return
    }
    const pointer = [
      'paths',
      template,
      method.toLowerCase(),
      'responses',
      String(status),
      'content',
      documented,
    ]
    const ref = `api#/${pointer.map((part) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/')}/schema`
    const validate = this.#known.get(ref) ?? this.#ajv.compile({ $ref: ref })
    this.#known.set(ref, validate)
    if (!validate(body))
      throw new Error(
        `${name} is not as described: ${JSON.stringify(validate.errors?.slice(0, 5))}\n${JSON.stringify(body)}`,
      )
  }
}

/** The same document, in which objects have no properties but those that are told of. */
function closed(part: unknown): unknown {
  if (Array.isArray(part)) return part.map(closed)
  if (part === null || typeof part !== 'object') return part
  const copy = Object.fromEntries(Object.entries(part).map(([key, value]) => [key, closed(value)]))
  const open = 'properties' in copy && copy.type === 'object' && !('additionalProperties' in copy)
  return open ? { ...copy, additionalProperties: false } : copy
}
