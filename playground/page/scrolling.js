import { byId, icon } from './dom.js'

/** Keeps the newest message in view while the reader is there, else counts what is unread. */
export function createScrolling() {
  const scroll = byId('scroll')
  const button = byId('to-bottom')
  let unread = 0
  let following = true
  let lastTop = 0

  const show = () => {
    button.hidden = following
    byId('unread').textContent = unread > 0 ? String(unread) : ''
    document.title = unread > 0 ? `(${unread}) SKYNET` : 'SKYNET'
  }

  const toBottom = (behavior = 'auto') => {
    scroll.scrollTo({ top: scroll.scrollHeight, behavior })
    following = true
    unread = 0
    show()
  }

  scroll.addEventListener('scroll', () => {
    const atEnd = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 60
    // More may have come below since this scroll began: only who goes up stops following.
    following = atEnd || (following && scroll.scrollTop >= lastTop)
    lastTop = scroll.scrollTop
    if (following && !document.hidden) unread = 0
    show()
  })
  document.addEventListener('visibilitychange', () => following && !document.hidden && toBottom())
  const stay = new ResizeObserver(() => following && scroll.scrollTo({ top: scroll.scrollHeight }))
  for (const part of [scroll, byId('messages'), byId('draft')]) stay.observe(part)
  button.append(icon('down'))
  button.addEventListener('click', () => toBottom('smooth'))
  return {
    toBottom,
    /** A new message came: follow it, or count it. */
    arrived(isOwn) {
      if (isOwn || (following && !document.hidden)) return toBottom()
      unread += 1
      show()
    },
  }
}
