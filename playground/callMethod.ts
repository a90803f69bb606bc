import { ApiError } from './apiError.ts'
import { findMethod } from './methods/catalogue.ts'
import type { Params } from './readParams.ts'
import type { CallRecord, Fault } from './types.ts'
import type { World } from './world.ts'

const callsKept = 1000

/** An answer for the wire. `cut` means: done, but the connection breaks before the answer. */
export type Reply = { status: number; body: object; cut: boolean }

/** Performs one Bot API call, with the faults tests asked for, and records it. Never throws. */
export async function callMethod(
  world: World,
  name: string,
  params: Params,
  cancelled: AbortSignal,
): Promise<Reply> {
  const found = findMethod(name)
  const payload = describe(params)
  const fault = faultFor(world, found?.name ?? name, payload)
  const reply =
    fault && !fault.dropAnswer ? toReply(faultError(fault)) : await perform(world, name, params, cancelled)
  recordCall(world, { method: found?.name ?? name, at: Date.now(), payload, ...outcome(reply) })
  return { ...reply, cut: fault?.dropAnswer ?? false }
}

async function perform(world: World, name: string, params: Params, cancelled: AbortSignal): Promise<Reply> {
  try {
    const found = findMethod(name)
    if (!found) throw new ApiError(404, 'Not Found: method not found')
    return {
      status: 200,
      body: { ok: true, result: await found.method(world, params, cancelled) },
      cut: false,
    }
  } catch (error) {
    return toReply(error)
  }
}

/** An error in Telegram's shape; what is not an ApiError is a fault of this server. */
export function toReply(error: unknown): Reply {
  const known =
    error instanceof ApiError ? error : new ApiError(500, `Internal Server Error: ${String(error)}`)
  const { code, message, parameters } = known
  const body = { ok: false, error_code: code, description: message, ...(parameters ? { parameters } : {}) }
  return { status: code, body, cut: false }
}

function faultFor(world: World, method: string, payload: unknown): Fault | null {
  for (const matcher of world.faults) {
    const fault = matcher(method, payload)
    if (fault) return fault
  }
  return null
}

function faultError({ error_code, description, retry_after }: Fault): ApiError {
  return new ApiError(error_code, description, retry_after === undefined ? undefined : { retry_after })
}

function describe({ fields, files }: Params): Record<string, unknown> {
  const uploads = [...files].map(([part, { name, bytes }]) => [part, { name, size: bytes.length }])
  return { ...fields, ...Object.fromEntries(uploads) }
}

function outcome(reply: Reply): Pick<CallRecord, 'ok' | 'error_code'> {
  return reply.status === 200 ? { ok: true } : { ok: false, error_code: reply.status }
}

function recordCall(world: World, call: CallRecord): void {
  world.calls.push(call)
  if (world.calls.length > callsKept) world.calls.shift()
  for (const listener of world.callListeners) listener(call)
  world.hub.touch()
}
