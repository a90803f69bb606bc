import { ApiError, badRequest } from './apiError.ts'

export type Upload = { name: string; mime: string; bytes: Buffer }

/** What a Bot API call brought: fields by name, uploaded files by part name. */
export type Params = { fields: Record<string, unknown>; files: Map<string, Upload> }

/** Reads a call's body in any of the three forms Telegram takes, and its query string. */
export async function readParams(body: Buffer, contentType: string, query: URLSearchParams): Promise<Params> {
  const fields: Record<string, unknown> = Object.fromEntries(query)
  const files = new Map<string, Upload>()
  if (body.length === 0) return { fields, files }
  if (contentType.startsWith('application/json')) return { fields: { ...fields, ...readJson(body) }, files }
  if (contentType.startsWith('multipart/form-data')) await readMultipart(body, contentType, { fields, files })
  else Object.assign(fields, Object.fromEntries(new URLSearchParams(body.toString())))
  return { fields, files }
}

function readJson(body: Buffer): Record<string, unknown> {
  const value = tryJson(body.toString())
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>
  throw badRequest("can't parse JSON object")
}

/** Parses JSON; what is none is undefined. */
export function tryJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

async function readMultipart(body: Buffer, contentType: string, into: Params): Promise<void> {
  const form = await new Response(new Uint8Array(body), { headers: { 'content-type': contentType } })
    .formData()
    .catch(() => {
      throw new ApiError(400, 'Bad Request: failed to parse multipart/form-data')
    })
  for (const [name, value] of form) {
    if (typeof value === 'string') into.fields[name] = value
    else
      into.files.set(name, {
        name: value.name,
        mime: value.type,
        bytes: Buffer.from(await value.arrayBuffer()),
      })
  }
}

/** A text field; numbers and flags are taken as their text. */
export function text(params: Params, name: string): string | undefined {
  const value = params.fields[name]
  return value === undefined || value === null ? undefined : String(value)
}

/** A whole number, also when it came as text. */
export function integer(params: Params, name: string): number | undefined {
  const value = text(params, name)
  return value !== undefined && /^-?\d{1,16}$/.test(value) ? Number(value) : undefined
}

/** A flag; Telegram takes `true`, `True`, `1` and `yes`. */
export function flag(params: Params, name: string): boolean {
  return /^(?:true|1|yes)$/i.test(text(params, name) ?? '')
}

/** A structured field, which arrives as an object or as its JSON text. */
export function structure(params: Params, name: string): unknown {
  const value = params.fields[name]
  if (typeof value !== 'string' || value === '') return value === '' ? undefined : value
  const parsed = tryJson(value)
  if (parsed === undefined) throw badRequest(`can't parse ${name.replaceAll('_', ' ')} JSON object`)
  return parsed
}
