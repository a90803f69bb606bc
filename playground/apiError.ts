/** An answer of the Bot API that is not ok; `parameters` as Telegram sends them. */
export class ApiError extends Error {
  readonly code: number
  readonly parameters: { retry_after?: number; migrate_to_chat_id?: number } | undefined

  constructor(code: number, description: string, parameters?: ApiError['parameters']) {
    super(description)
    this.code = code
    this.parameters = parameters
  }
}

/** 400 with Telegram's prefix. */
export const badRequest = (what: string, parameters?: ApiError['parameters']) =>
  new ApiError(400, `Bad Request: ${what}`, parameters)

/** 403 with Telegram's prefix. */
export const forbidden = (what: string) => new ApiError(403, `Forbidden: ${what}`)

/** 429; `seconds` is what the bot must wait. */
export const tooMany = (seconds: number) =>
  new ApiError(429, `Too Many Requests: retry after ${seconds}`, { retry_after: seconds })
