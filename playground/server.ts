import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { edit, say, stopDraft, tap } from './actAsUser.ts'
import { serveBotApi } from './botApiRoutes.ts'
import { callMethod } from './callMethod.ts'
import { messagesOf, openPrivateChat } from './chats.ts'
import { createGroup, migrateGroup, setBotAccess } from './groups.ts'
import { type Exchange, refusal, send } from './http.ts'
import { waitFor } from './hub.ts'
import { menuOf } from './methods/commands.ts'
import { createPageAccess, type PageAccess } from './pageAccess.ts'
import { servePage } from './pageRoutes.ts'
import type { Playground, PlaygroundOptions } from './types.ts'
import { startWebhook, type WebhookDelivery } from './webhook.ts'
import { createWorld, type World } from './world.ts'

export type { PanelRow, PanelSource, Playground, PlaygroundOptions, StoredMessage } from './types.ts'

/**
 * Starts a local Telegram: a Bot API server for one bot and a chat page for one visitor, on loopback only.
 * Everything said here stays on this machine.
 */
export async function startPlayground(options: PlaygroundOptions): Promise<Playground> {
  const world = createWorld(options)
  openPrivateChat(world, options.visitor)
  greet(world)
  const access = createPageAccess(options.secret, world.store.state.session, () => portOf(server))
  const server = createServer((req, res) => void serve({ ...world, access }, req, res))
  await listen(server, options.port)
  const webhook = startWebhook(webhookDeps(world))
  const stopPanel = options.panel?.subscribe(() => world.hub.publish({ type: 'panel' }))
  return {
    ...controls(world),
    url: `http://127.0.0.1:${portOf(server)}`,
    get pageUrl() {
      return `http://127.0.0.1:${portOf(server)}/open?key=${encodeURIComponent(access.key())}`
    },
    async close() {
      stopPanel?.()
      await stop(server, webhook)
    },
  }
}

/** The visitor's first message on a fresh state: at once, or when there is something to greet with. */
function greet(world: World): void {
  const { greet: when } = world.options
  if (!when || !world.store.fresh) return
  if (when === true) say(world, '/start')
  else void when.then(() => messagesOf(world, world.options.visitor.id).length === 0 && say(world, '/start'))
}

function webhookDeps(world: World): Parameters<typeof startWebhook>[0] {
  const { store, queue, log, webhookState: state } = world
  const perform = (method: string, fields: Record<string, unknown>) =>
    void callMethod(world, method, { fields, files: new Map() }, new AbortController().signal)
  return { store, queue, log, state, perform }
}

const portOf = (server: Server): number => (server.address() as AddressInfo).port

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => resolve())
  })
}

/** Cuts polls and streams, as when the network goes away, and frees the port. */
async function stop(server: Server, webhook: WebhookDelivery): Promise<void> {
  webhook.close()
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  server.closeAllConnections()
  await closed
}

async function serve(
  deps: World & { access: PageAccess },
  req: IncomingMessage,
  res: ServerResponse,
): Promise<void> {
  try {
    const why = refusal(req)
    if (why) return send(res, 403, 'text/plain; charset=utf-8', why)
    const exchange: Exchange = { req, res, url: new URL(req.url ?? '/', 'http://localhost') }
    if (!(await serveBotApi(deps, exchange))) await servePage(deps, exchange)
  } catch (error) {
    deps.log(`playground: ${String(error)}`)
    res.destroy()
  }
}

function controls(world: World): Omit<Playground, 'url' | 'pageUrl' | 'close'> {
  const visitor = world.options.visitor.id
  return {
    say: (text, opts) => say(world, text, opts),
    tap: (chatId, messageId, button, from) => tap(world, chatId, messageId, button, from),
    edit: (chatId, messageId, text, from) => edit(world, chatId, messageId, text, from),
    stop: (draftId) => stopDraft(world, draftId),
    redeliver: world.queue.redeliver,
    updates: world.queue.recent,
    chat: (chatId = visitor) => messagesOf(world, chatId),
    answers: () => [...world.answers],
    calls: () => [...world.calls],
    onCall: (listener) => register(world.callListeners, listener),
    fail: (matcher) => register(world.faults, matcher),
    waitFor: (probe, timeoutMs = 5000) => waitFor(world.hub, probe, timeoutMs),
    createGroup: (group) => createGroup(world, group),
    migrateGroup: (fromId, toId) => migrateGroup(world, fromId, toId),
    setBotAccess: (chatId, access, by) => setBotAccess(world, chatId, access, by),
    commands: (chatId = visitor) => menuOf(world, chatId),
  }
}

function register<T>(set: Set<T>, member: T): () => void {
  set.add(member)
  return () => set.delete(member)
}
