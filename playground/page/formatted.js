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
    nodes.push(wrap(entity, children, text.slice(entity.offset, end), range))
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

const wrappers = {
  code: (entity, children, text, { actions }) =>
    el('code', { title: 'Copy', onclick: () => actions.copy(text) }, children),
  pre: (entity, children, text, { actions }) => codeBlock(entity, children, () => actions.copy(text)),
  spoiler: (entity, children, text, { opened }) => spoiler(children, `s${entity.offset}`, opened),
  expandable_blockquote: (entity, children, text, { opened }) =>
    expandable(children, `q${entity.offset}`, opened),
  url: (entity, children, text) => outside(text, children),
  text_link: (entity, children) => outside(entity.url, children),
  email: (entity, children, text) => outside(`mailto:${text}`, children),
  bot_command: (entity, children, text, { actions }) =>
    el('button', { type: 'button', class: 'command', onclick: () => actions.onCommand(text) }, children),
  date_time: (entity, children) => localTime(entity, children),
}

function wrap(entity, children, text, range) {
  const wrapper = wrappers[entity.type]
  if (wrapper) return wrapper(entity, children, text, range)
  return el(simple[entity.type] ?? 'span', { class: simple[entity.type] ? null : entity.type }, children)
}

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
