import { el, icon } from './dom.js'
import { formatEntityTime, fullTime } from './times.js'

/**
 * Renders text with Telegram's entities as nodes. `actions` has `onCommand(text)` and `copy(text)`;
 * `opened` is a set that remembers which quotes and spoilers of this message are open.
 */
export function renderText(text, entities, actions, opened) {
  const ordered = [...(entities ?? [])].sort((a, b) => a.offset - b.offset || b.length - a.length)
  return renderRange(text, ordered, { from: 0, to: text.length, actions, opened })
}

function renderRange(text, entities, range) {
  const nodes = []
  let at = range.from
  let rest = entities
  while (rest.length > 0) {
    const [entity, ...others] = rest
    const end = Math.min(entity.offset + entity.length, range.to)
    if (entity.offset < at || end <= at) {
      rest = others
      continue
    }
    nodes.push(...plain(text.slice(at, entity.offset)))
    const inner = others.filter((other) => other.offset < end)
    const children = renderRange(text, inner, { ...range, from: entity.offset, to: end })
    const before = text.slice(0, entity.offset)
    nodes.push(wrap({ entity, nodes: children, text: text.slice(entity.offset, end), before, ...range }))
    rest = others.filter((other) => other.offset >= end)
    at = end
    if (isBlock(entity) && text[at] === '\n') at += 1
  }
  return [...nodes, ...plain(text.slice(at, range.to))]
}

/** A block ends its line itself; the newline after it would show as an empty line. */
const isBlock = (entity) => ['pre', 'blockquote', 'expandable_blockquote'].includes(entity.type)

const plain = (text) => (text === '' ? [] : [document.createTextNode(text)])

const simple = {
  bold: 'strong',
  italic: 'em',
  underline: 'u',
  strikethrough: 's',
  blockquote: 'blockquote',
}

/** How each other entity looks: from the entity, its nodes and text, and what the page can do. */
const wrappers = {
  code: ({ nodes, text, actions }) => el('code', { title: 'Copy', onclick: () => actions.copy(text) }, nodes),
  pre: ({ entity, nodes, text, actions }) =>
    codeBlock(entity, entity.language === 'diff' ? diffLines(text) : nodes, () => actions.copy(text)),
  spoiler: ({ entity, nodes, opened }) => spoiler(nodes, `s${entity.offset}`, opened),
  expandable_blockquote: ({ entity, nodes, opened }) => expandable(nodes, `q${entity.offset}`, opened),
  url: ({ nodes, text }) => outside(text, nodes),
  text_link: ({ entity, nodes }) => outside(entity.url, nodes),
  email: ({ nodes, text }) => outside(`mailto:${text}`, nodes),
  bot_command: ({ nodes, text, before, actions }) =>
    /[~:.]$/.test(before) ? el('span', {}, nodes) : commandLink(nodes, () => actions.onCommand(text)),
  date_time: ({ entity, nodes }) => localTime(entity, nodes),
}

function wrap(part) {
  const { type } = part.entity
  if (wrappers[type]) return wrappers[type](part)
  return el(simple[type] ?? 'span', { class: simple[type] ? null : type }, part.nodes)
}

/** Telegram finds a command in `~/demo` too; there it is a path. */
const commandLink = (nodes, onclick) => el('button', { type: 'button', class: 'command', onclick }, nodes)

const outside = (href, children) => el('a', { href, target: '_blank', rel: 'noopener noreferrer' }, children)

function codeBlock(entity, children, copy) {
  const button = el(
    'button',
    { type: 'button', class: 'icon small', 'aria-label': 'Copy code', onclick: copy },
    icon('copy'),
  )
  const head = el('div', { class: 'pre-head' }, el('span', {}, entity.language ?? 'code'), button)
  return el('div', { class: 'pre' }, head, el('pre', {}, el('code', {}, children)))
}

/** A diff with its added and removed lines in colour. */
const diffLines = (text) =>
  text.split('\n').map((line, index, all) => {
    const kind = /^(?:---|\+\+\+|@@)/.test(line) ? 'place' : { '+': 'added', '-': 'removed' }[line[0]]
    return el('span', { class: kind ?? null }, index < all.length - 1 ? `${line}\n` : line)
  })

function spoiler(children, key, opened) {
  const reveal = (event) => {
    opened.add(key)
    event.currentTarget.replaceWith(el('span', { class: 'revealed' }, children))
  }
  if (opened.has(key)) return el('span', { class: 'revealed' }, children)
  return el(
    'button',
    { type: 'button', class: 'spoiler', 'aria-label': 'Show hidden text', onclick: reveal },
    el('span', { 'aria-hidden': 'true' }, children),
  )
}

function expandable(children, key, opened) {
  const body = el('div', { class: 'quote-body' }, children)
  const toggle = el(
    'button',
    { type: 'button', class: 'quote-toggle', 'aria-label': 'Expand or collapse the quote' },
    icon('down'),
  )
  const quote = el('blockquote', { class: 'expandable' }, body, toggle)
  const show = () => {
    quote.classList.toggle('open', opened.has(key))
    toggle.setAttribute('aria-expanded', String(opened.has(key)))
  }
  toggle.addEventListener('click', () => {
    if (!opened.delete(key)) opened.add(key)
    show()
  })
  requestAnimationFrame(() =>
    quote.classList.toggle('fits', body.scrollHeight <= body.clientHeight + 2 && !opened.has(key)),
  )
  show()
  return quote
}

function localTime(entity, children) {
  const iso = new Date(entity.unix_time * 1000).toISOString()
  const time = el('time', { datetime: iso, title: fullTime(entity.unix_time), class: 'local-time' }, children)
  const shown = formatEntityTime(entity.unix_time, entity.date_time_format)
  if (shown !== null) time.replaceChildren(shown)
  if (entity.date_time_format === 'r') time.dataset.unix = String(entity.unix_time)
  return time
}

/** Brings relative times up to date. */
export function refreshTimes(root) {
  for (const time of root.querySelectorAll('time[data-unix]')) {
    time.textContent = formatEntityTime(Number(time.dataset.unix), 'r')
  }
}
