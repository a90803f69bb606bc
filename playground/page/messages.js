import { renderDocument, renderPhoto } from './documents.js'
import { byId, el, icon } from './dom.js'
import { renderText } from './formatted.js'
import { renderKeyboard } from './keyboard.js'
import { clockTime, dayName, fullTime, sameDay } from './times.js'

const groupSeconds = 300

/**
 * The list of messages. A message that changes is changed in place: parts that stay the same keep
 * their nodes, so that a tap, a selection or an open quote survives a live edit.
 * `actions`: onCommand, copy, onReply, nameOf, isOwn.
 */
export function createMessageList(actions) {
  const root = byId('messages')
  const shown = new Map()

  const upsert = (message) => {
    const known = shown.get(message.message_id)
    if (message.deleted) {
      known?.node.remove()
      shown.delete(message.message_id)
      return
    }
    if (known) return update(known, message)
    append(message)
  }

  const append = (message) => {
    const previous = [...shown.values()].at(-1)?.message
    if (!previous || !sameDay(previous.date, message.date)) {
      root.append(el('div', { class: 'day' }, dayName(message.date)))
    }
    const item = { message: null, node: frame(message), opened: new Set() }
    item.node.classList.toggle('follows', follows(previous, message))
    shown.set(message.message_id, item)
    update(item, message)
    root.append(item.node)
  }

  const frame = (message) => {
    if (message.service) return el('div', { class: 'day' }, 'Group changed')
    const side = actions.isOwn(message) ? 'out' : 'in'
    const reply = el(
      'button',
      {
        type: 'button',
        class: 'icon small reply',
        'aria-label': 'Reply',
        onclick: () => actions.onReply(shown.get(message.message_id).message),
      },
      icon('reply'),
    )
    const column = el(
      'div',
      { class: 'column' },
      el(
        'div',
        { class: 'bubble' },
        el('div', { class: 'quoted' }),
        el('div', { class: 'attached' }),
        el('div', { class: 'text' }),
        el('div', { class: 'meta' }),
      ),
      el('div', { class: 'keys' }),
    )
    return el(
      'article',
      {
        class: `message ${side}`,
        id: `m${message.message_id}`,
        'aria-label': side === 'out' ? 'You' : actions.nameOf(message),
      },
      column,
      reply,
    )
  }

  const update = (item, message) => {
    const { node, opened } = item
    if (message.service) return
    const before = item.message ?? {}
    const part = (name, keys, render) => {
      if (item.message && keys.every((key) => JSON.stringify(before[key]) === JSON.stringify(message[key])))
        return
      node.querySelector(`.${name}`).replaceChildren(...render())
    }
    part('quoted', ['reply_to'], () => quoteOf(shown.get(message.reply_to)?.message, actions))
    part('text', ['text', 'entities', 'caption', 'caption_entities'], () =>
      renderText(
        message.text ?? message.caption ?? '',
        message.entities ?? message.caption_entities,
        actions,
        opened,
      ),
    )
    part('attached', ['document', 'photo'], () => attachedTo(message))
    part('keys', ['reply_markup'], () => keysOf(message))
    part('meta', ['edits', 'date'], () => metaOf(message))
    node.classList.toggle('has-keys', Boolean(message.reply_markup?.inline_keyboard))
    item.message = message
  }

  return {
    upsert,
    reset(messages) {
      shown.clear()
      root.replaceChildren()
      for (const message of messages) append(message)
    },
    all: () => [...shown.values()].map((item) => item.message),
    get: (id) => shown.get(id),
  }
}

function follows(previous, message) {
  return (
    Boolean(previous) &&
    previous.from.id === message.from.id &&
    message.date - previous.date < groupSeconds &&
    sameDay(previous.date, message.date)
  )
}

function attachedTo(message) {
  if (message.photo) return [renderPhoto(message.photo, message.caption?.split('\n')[0])]
  return message.document ? [renderDocument(message.document)] : []
}

const keysOf = (message) => {
  const rows = message.reply_markup?.inline_keyboard
  return rows ? [renderKeyboard(message.message_id, rows)] : []
}

function metaOf(message) {
  const edited = message.edits > 0 ? el('span', { class: 'edited' }, 'edited') : null
  const iso = new Date(message.date * 1000).toISOString()
  return [
    edited,
    el('time', { datetime: iso, title: fullTime(message.date) }, clockTime(message.date)),
  ].filter(Boolean)
}

/** The first words of a message, for quotes and announcements. */
export function excerpt(message) {
  const text = message.text ?? message.caption ?? message.document?.file_name ?? 'Message'
  return text.split('\n')[0].slice(0, 120)
}

function quoteOf(original, actions) {
  if (!original) return []
  const jump = () => {
    const target = byId(`m${original.message_id}`)
    target?.scrollIntoView({ block: 'center', behavior: 'smooth' })
    target?.classList.add('found')
    setTimeout(() => target?.classList.remove('found'), 1600)
  }
  const name = actions.isOwn(original) ? 'You' : actions.nameOf(original)
  return [
    el(
      'button',
      { type: 'button', class: 'quote-link', onclick: jump },
      el('strong', {}, name),
      el('span', {}, excerpt(original)),
    ),
  ]
}
