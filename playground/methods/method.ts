import type { Params } from '../readParams.ts'
import type { World } from '../world.ts'

/** One Bot API method: its result, or a thrown ApiError. `cancelled` fires when the caller hangs up. */
export type Method = (world: World, params: Params, cancelled: AbortSignal) => unknown
