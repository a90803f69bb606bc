import { showChips } from './chips.js'
import { createComposer } from './composer.js'
import { ask, follow } from './connection.js'
import { byId, el } from './dom.js'
import { refreshTimes, renderText } from './formatted.js'
import { showAnswer } from './keyboard.js'
import { createMessageList, excerpt } from './messages.js'
import { announce, copy, toast } from './notices.js'
import { reloadPanel, showPanel } from './panel.js'
import { isSuccess, offerPhone } from './phoneHint.js'
import { createScrolling } from './scrolling.js'
import { blip, setUpSound } from './sound.js'

const typingMs = 5000
const draftMs = 30_000

let bot = { id: 0, name: 'SKYNET' }
let visitor = { id: 0, first_name: '' }
let typingTimer
let draftTimer

const isOwn = (message) => message.from.id === visitor.id
const nameOf = (message) => message.from.first_name
const composer = createComposer({
  lastOwn: () => list.all().findLast((message) => isOwn(message) && message.text),
  nameOf,
})
const list = createMessageList({
  isOwn,
  nameOf,
  copy,
  onCommand: (text) => composer.put(`${text} `),
  onReply: (message) => composer.reply(message),
})
const scrolling = createScrolling()

/** Loads everything and follows from there; also after the server forgot what this page had seen. */
async function load() {
  try {
    const state = await ask('/api/state')
    show(state)
    follow(state.at, {
      onEvent: (event) => handlers[event.type]?.(event),
      onReset: load,
      onOnline: setOnline,
    })
  } catch {
    setOnline(false)
    setTimeout(load, 1500)
  }
}

function show(state) {
  bot = state.bot
  visitor = state.visitor
  byId('bot-name').textContent = bot.name
  composer.setCommands(state.commands)
  list.reset(state.messages)
  showDraft(state.draft)
  showPanel(state.panel)
  refreshChips()
  const success = state.messages.find(isSuccess)
  if (success) offerPhone(success)
  scrolling.toBottom()
}

const handlers = {
  message: ({ message }) => showMessage(message),
  answer: ({ answer }) => showAnswer(answer, bot.name),
  action: () => setTyping(),
  draft: ({ draft }) => showDraft(draft),
  commands: ({ commands }) => composer.setCommands(commands),
  panel: () => reloadPanel(),
}

function showMessage(message) {
  const isNew = !list.get(message.message_id) && !message.deleted
  list.upsert(message)
  refreshChips()
  if (!isNew) return offerPhone(message)
  scrolling.arrived(isOwn(message))
  if (!isOwn(message)) greetNew(message)
}

function greetNew(message) {
  setStatus('online')
  announce(`${nameOf(message)}: ${excerpt(message)}`)
  if (!message.silent) blip()
  if (message.reply_markup?.force_reply) composer.reply(message, message.reply_markup.input_field_placeholder)
  offerPhone(message)
}

function refreshChips() {
  showChips(list.all(), { send: composer.send, tap: pressButton })
}

function pressButton(message, text) {
  const keys = [...(byId(`m${message.message_id}`)?.querySelectorAll('.key') ?? [])]
  const key = keys.find((each) => each.textContent === text)
  if (!key) return toast('That button is gone')
  key.scrollIntoView({ block: 'nearest' })
  key.click()
}

function setOnline(online) {
  setStatus(online ? 'online' : 'not reachable · trying again…')
}

function setStatus(text) {
  clearTimeout(typingTimer)
  const status = byId('status')
  if (status.textContent !== text) status.textContent = text
  status.className = text === 'online' ? 'online' : ''
}

function setTyping() {
  setStatus('typing')
  byId('status').className = 'typing'
  typingTimer = setTimeout(() => setStatus('online'), typingMs)
}

function showDraft(draft) {
  clearTimeout(draftTimer)
  const root = byId('draft')
  root.hidden = draft === null
  if (draft === null) return root.replaceChildren()
  const text =
    draft.text === ''
      ? ['Thinking']
      : renderText(draft.text, draft.entities, { copy, onCommand: () => {} }, new Set())
  const stop = draft.can_stop
    ? el(
        'button',
        {
          type: 'button',
          class: 'stop',
          onclick: () => ask('/api/stop', { draft_id: draft.draft_id }).catch(() => {}),
        },
        'Stop',
      )
    : null
  root.replaceChildren(
    el('div', { class: 'bubble' }, el('div', { class: 'text' }, ...text, el('span', { class: 'dots' }))),
    ...(stop ? [stop] : []),
  )
  draftTimer = setTimeout(() => showDraft(null), draftMs)
}

setUpSound()
setInterval(() => refreshTimes(document), 5000)
void load()
if (matchMedia('(hover: hover)').matches) composer.focus()
