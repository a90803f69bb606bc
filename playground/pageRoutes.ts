import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { edit, say, stopDraft, tapData } from './actAsUser.ts'
import { ApiError } from './apiError.ts'
import { sameText } from './botApiRoutes.ts'
import { toReply } from './callMethod.ts'
import { findMessage, messagesOf } from './chats.ts'
import { type Exchange, readBody, send, sendJson } from './http.ts'
import { menuOf } from './methods/commands.ts'
import type { PageAccess } from './pageAccess.ts'
import { streamEvents } from './pageStream.ts'
import { tryJson } from './readParams.ts'
import type { World } from './world.ts'

const bodyLimit = 64 * 1024
const messagesShown = 300
const types: Record<string, string> = {
  html: 'text/html',
  css: 'text/css',
  js: 'text/javascript',
  svg: 'image/svg+xml',
}
const openAssets = new Set(['/style.css', '/icon.svg'])
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

const Text = z.string().min(1).max(4096)
const Send = z.object({ text: Text, reply_to: z.number().int().optional() })
const Tap = z.object({ message_id: z.number().int(), data: z.string() })
const Edit = z.object({ message_id: z.number().int(), text: Text })
const Stop = z.object({ draft_id: z.number().int() })

type Deps = World & { access: PageAccess }

/** Serves the chat page and what it asks for. Everything but two assets needs the cookie. */
export async function servePage(deps: Deps, exchange: Exchange): Promise<void> {
  const { req, res, url } = exchange
  setPageHeaders(res)
  if (url.pathname === '/open') return openLink(deps, exchange)
  if (url.pathname === '/api/link') return tellLink(deps, exchange)
  if (!openAssets.has(url.pathname) && !deps.access.admits(req)) return refuse(exchange)
  try {
    await route(deps, exchange)
  } catch (error) {
    const reply = toReply(error)
    if (!res.headersSent) sendJson(res, reply.status, reply.body)
  }
}

function setPageHeaders(res: Exchange['res']): void {
  res.setHeader('content-security-policy', policy)
  res.setHeader('referrer-policy', 'no-referrer')
  res.setHeader('x-frame-options', 'DENY')
  res.setHeader('cross-origin-opener-policy', 'same-origin')
  res.setHeader('cross-origin-resource-policy', 'same-origin')
}

/** A page moves on to the chat: a redirect would lose the Strict cookie when the link came from another site. */
async function openLink(deps: Deps, exchange: Exchange): Promise<void> {
  const { req, res, url } = exchange
  const cookie = deps.access.redeem(url.searchParams.get('key') ?? '')
  if (cookie) {
    res.setHeader('set-cookie', cookie)
    deps.options.onOpen?.()
  }
  if (!cookie && !deps.access.admits(req)) return refuse(exchange)
  await sendFile(res, 'opening.html')
}

/** A link that nobody has used yet, for who has the bot's token: the command line of this machine. */
function tellLink({ access, options }: Deps, { req, res }: Exchange): void {
  const isOwn = sameText(req.headers.authorization ?? '', `Bearer ${options.token}`)
  const link = `http://${req.headers.host}/open?key=${encodeURIComponent(access.key())}`
  if (isOwn) sendJson(res, 200, { ok: true, result: { link } })
  else sendJson(res, 401, toReply(new ApiError(401, 'Unauthorized')).body)
}

async function refuse({ res, url }: Exchange): Promise<void> {
  if (url.pathname.startsWith('/api/'))
    return sendJson(res, 401, toReply(new ApiError(401, 'Open the printed link first')).body)
  await sendFile(res, 'locked.html', 401)
}

async function route(deps: Deps, exchange: Exchange): Promise<void> {
  const { req, url } = exchange
  const handler = handlers[`${req.method} ${url.pathname}`]
  if (handler) return handler(deps, exchange)
  const [, kind, id] = /^\/api\/(panel|files)\/([\w.:-]+)$/.exec(url.pathname) ?? []
  if (req.method === 'GET' && id && kind === 'panel') return sendDetail(deps, exchange, id)
  if (req.method === 'GET' && id && kind === 'files') return sendUpload(deps, exchange, id)
  const asset = /^\/(\w+\.(?:js|css|svg))$/.exec(url.pathname)?.[1]
  if (req.method === 'GET' && asset) return sendFile(exchange.res, asset)
  throw new ApiError(404, 'Not Found')
}

const handlers: Record<string, (deps: Deps, exchange: Exchange) => void | Promise<void>> = {
  'GET /': (_, { res }) => sendFile(res, 'index.html'),
  'GET /api/state': async (deps, { res }) => sendJson(res, 200, await readState(deps)),
  'GET /api/panel': async (deps, { res }) => sendJson(res, 200, await readPanel(deps)),
  'GET /api/events': (deps, { req, res, url }) => {
    const after = req.headers['last-event-id'] ?? url.searchParams.get('after') ?? ''
    streamEvents(deps, res, String(after))
  },
  'POST /api/send': async (deps, exchange) => {
    const { text, reply_to } = await readInput(exchange, Send)
    sendJson(exchange.res, 200, { message_id: say(deps, text, reply_to === undefined ? {} : { reply_to }) })
  },
  'POST /api/tap': async (deps, exchange) => {
    const { message_id, data } = await readInput(exchange, Tap)
    const message = findMessage(deps, deps.options.visitor.id, message_id)
    const callback_query_id = attempt(() => message && tapData(deps, message, data))
    sendJson(exchange.res, 200, { callback_query_id })
  },
  'POST /api/edit': async (deps, exchange) => {
    const { message_id, text } = await readInput(exchange, Edit)
    attempt(() => edit(deps, deps.options.visitor.id, message_id, text) ?? true)
    sendJson(exchange.res, 200, {})
  },
  'POST /api/stop': async (deps, exchange) => {
    stopDraft(deps, (await readInput(exchange, Stop)).draft_id)
    sendJson(exchange.res, 200, {})
  },
}

/** What a person tried and cannot do, such as tapping a button that is gone, is a conflict. */
function attempt<T>(act: () => T | undefined): T {
  try {
    const value = act()
    if (value !== undefined) return value
  } catch (error) {
    throw new ApiError(409, error instanceof Error ? error.message : String(error))
  }
  throw new ApiError(409, 'That message is gone')
}

/** Only JSON is taken: a form of another site cannot send it. */
async function readInput<T>({ req }: Exchange, schema: z.ZodType<T>): Promise<T> {
  if (!req.headers['content-type']?.startsWith('application/json')) throw new ApiError(415, 'JSON expected')
  const parsed = schema.safeParse(tryJson((await readBody(req, bodyLimit)).toString()))
  if (!parsed.success) throw new ApiError(400, z.prettifyError(parsed.error))
  return parsed.data
}

async function readState(deps: Deps): Promise<object> {
  const { hub, me, options, drafts } = deps
  const at = `${hub.epoch}-${hub.lastId()}`
  const { id } = options.visitor
  const draft = drafts.get(id)
  const messages = messagesOf(deps, id).filter((message) => !message.deleted)
  return {
    at,
    bot: { id: me.id, name: me.first_name, username: me.username },
    visitor: options.visitor,
    messages: messages.slice(-messagesShown),
    commands: menuOf(deps, id),
    draft: draft && draft.until > Date.now() ? draft : null,
    panel: await readPanel(deps),
  }
}

/** A panel that cannot be read now does not take the chat with it. */
async function readPanel({ options, log }: Deps): Promise<object | null> {
  try {
    return (await options.panel?.rows()) ?? null
  } catch (error) {
    log(`panel: ${String(error)}`)
    return []
  }
}

async function sendDetail(deps: Deps, { res }: Exchange, id: string): Promise<void> {
  sendJson(res, 200, (await deps.options.panel?.detail(id)) ?? null)
}

/** PNG images are shown as such, other uploads as plain text; or they are saved. None is ever run as a page. */
async function sendUpload(deps: Deps, { res, url }: Exchange, id: string): Promise<void> {
  const file = deps.store.state.files.get(id)
  const bytes = file && (await deps.shelf.get(id))
  if (!file || !bytes) throw new ApiError(404, 'Not Found')
  const place = url.searchParams.has('view') ? 'inline' : 'attachment'
  res.setHeader('content-disposition', `${place}; filename*=UTF-8''${encodeURIComponent(file.name)}`)
  res.setHeader('content-security-policy', "default-src 'none'; sandbox")
  const shown = isPng(bytes) ? 'image/png' : 'text/plain; charset=utf-8'
  send(res, 200, place === 'inline' ? shown : 'application/octet-stream', bytes)
}

const isPng = (bytes: Buffer): boolean => bytes.subarray(0, 8).toString('latin1') === '\x89PNG\r\n\x1a\n'

async function sendFile(res: Exchange['res'], name: string, status = 200): Promise<void> {
  const body = await readFile(join(import.meta.dirname, 'page', name)).catch(() => null)
  if (!body) throw new ApiError(404, 'Not Found')
  send(res, status, `${types[name.split('.')[1] ?? '']}; charset=utf-8`, body)
}
