import { request } from 'node:http'

export type ServerEvent = { id: string; event: string; data: Record<string, unknown> }
export type Heard = { status: number; events: ServerEvent[]; comments: number; ended: boolean; cut(): void }

/**
 * A reader of server-sent events, as the specification has it, that can be cut at any moment. `onEvent` is called for
 * each message, in order. Resolves when the connection has ended, one way or the other.
 */
export function listen(
  url: string,
  options: { token: string; lastEventId?: string; onEvent?: (event: ServerEvent, heard: Heard) => void },
): { heard: Heard; over: Promise<Heard> } {
  const heard: Heard = { status: 0, events: [], comments: 0, ended: false, cut: () => call.destroy() }
  const headers = {
    authorization: `Bearer ${options.token}`,
    ...(options.lastEventId ? { 'last-event-id': options.lastEventId } : {}),
  }
  const call = request(url, { headers })
  const over = new Promise<Heard>((resolve) => {
    call.on('error', () => resolve(heard))
    call.on('response', (response) => {
      heard.status = response.statusCode ?? 0
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        text += chunk
        for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
          take(text.slice(0, end))
          text = text.slice(end + 2)
        }
      })
      response.on('end', () => {
        heard.ended = true
        resolve(heard)
      })
      response.on('error', () => resolve(heard))
    })
  })
  let lastId = ''
  const take = (block: string): void => {
    if (call.destroyed) return
    const fields = block.split('\n').map((line) => /^(\w*): ?(.*)$/.exec(line) ?? [])
    heard.comments += fields.filter(([, name]) => name === '').length
    lastId = fields.findLast(([, name]) => name === 'id')?.[2] ?? lastId
    const data = fields.filter(([, name]) => name === 'data').map(([, , value]) => value)
    if (data.length === 0) return
    const event = fields.find(([, name]) => name === 'event')?.[2] ?? 'message'
    const message = { id: lastId, event, data: JSON.parse(data.join('\n')) }
    heard.events.push(message)
    options.onEvent?.(message, heard)
  }
  call.end()
  return { heard, over }
}
