import { createCommandMenu } from './commandMenu.js'
import { ask } from './connection.js'
import { byId, el, icon } from './dom.js'
import { excerpt } from './messages.js'
import { toast } from './notices.js'

const tallest = 160

/**
 * The input: Enter sends, Shift+Enter breaks the line, `/` opens the commands, the arrow up in an empty
 * input edits the last own message. `lastOwn()` gives that message, `nameOf(message)` its sender.
 */
export function createComposer({ lastOwn, nameOf }) {
  const input = byId('input')
  /** What the next text belongs to: nothing, a reply or an edit. */
  let context = null

  const resize = () => {
    input.style.height = 'auto'
    input.style.height = `${Math.min(input.scrollHeight, tallest)}px`
    byId('send').disabled = input.value.trim() === ''
  }

  const put = (text) => {
    input.value = text
    input.focus()
    resize()
    menu.update()
  }

  const setContext = (next) => {
    context = next
    const box = byId('context')
    box.hidden = next === null
    input.placeholder = next?.placeholder ?? 'Message'
    if (next) box.replaceChildren(...contextNodes(next))
  }

  const contextNodes = ({ kind, message }) => [
    icon(kind),
    el(
      'div',
      {},
      el('strong', {}, kind === 'edit' ? 'Edit' : `Reply to ${nameOf(message)}`),
      el('span', {}, excerpt(message)),
    ),
    el(
      'button',
      { type: 'button', class: 'icon small', 'aria-label': 'Cancel', onclick: () => setContext(null) },
      icon('close'),
    ),
  ]

  const send = async (text) => {
    const { kind, message } = context ?? {}
    setContext(null)
    try {
      if (kind === 'edit') await ask('/api/edit', { message_id: message.message_id, text })
      else await ask('/api/send', { text, ...(message ? { reply_to: message.message_id } : {}) })
    } catch (error) {
      toast(error.message)
      if (input.value === '') put(text)
    }
  }

  const submit = () => {
    const text = input.value.trim()
    if (text === '') return
    put('')
    void send(text)
  }

  const reply = (message, placeholder) => {
    setContext({ kind: 'reply', message, placeholder })
    input.focus()
  }

  const editLast = () => {
    const message = lastOwn()
    if (!message) return
    setContext({ kind: 'edit', message })
    put(message.text)
  }

  const onKey = (event) => {
    if (event.isComposing || menu.handleKey(event)) return
    if (event.key === 'Enter' && !event.shiftKey) {
      event.preventDefault()
      submit()
    }
    if (event.key === 'Escape') setContext(null)
    if (event.key === 'ArrowUp' && input.value === '') editLast()
  }

  const menu = createCommandMenu(input, { complete: (command) => put(`/${command} `), submit })
  byId('send').append(icon('send'))
  input.addEventListener('keydown', onKey)
  input.addEventListener('input', () => {
    resize()
    menu.update()
  })
  byId('form').addEventListener('submit', (event) => {
    event.preventDefault()
    submit()
  })
  resize()
  return { send, reply, put, setCommands: menu.setCommands, focus: () => input.focus() }
}
