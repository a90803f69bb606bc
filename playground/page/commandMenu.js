import { byId, el, icon } from './dom.js'

/**
 * The list of commands over the input, opened by `/` or by its button.
 * Arrows choose, Enter or Tab completes, Enter on a complete command sends, Escape closes.
 */
export function createCommandMenu(input, { complete, submit }) {
  const root = byId('menu')
  const button = byId('menu-button')
  let commands = []
  let matches = []
  let chosen = 0

  const show = (list) => {
    matches = list
    chosen = 0
    root.hidden = list.length === 0
    button.setAttribute('aria-expanded', String(!root.hidden))
    root.replaceChildren(...list.map(option))
    mark()
  }

  const option = ({ command, description }, index) => {
    const pick = (event) => {
      event.preventDefault()
      choose(index)
    }
    return el(
      'div',
      { role: 'option', id: `command-${index}`, class: 'option', onpointerdown: pick },
      el('strong', {}, `/${command}`),
      el('span', {}, description),
    )
  }

  const mark = () => {
    ;[...root.children].forEach((child, index) => {
      child.setAttribute('aria-selected', String(index === chosen))
    })
    root.children[chosen]?.scrollIntoView({ block: 'nearest' })
    if (root.hidden) input.removeAttribute('aria-activedescendant')
    else input.setAttribute('aria-activedescendant', `command-${chosen}`)
  }

  const choose = (index) => {
    const { command } = matches[index]
    show([])
    complete(command)
    show([])
  }

  const update = () => {
    const typed = /^\/(\w*)$/.exec(input.value)
    show(typed ? commands.filter(({ command }) => command.startsWith(typed[1].toLowerCase())) : [])
  }

  const keys = {
    ArrowDown: () => move(1),
    ArrowUp: () => move(-1),
    Tab: () => choose(chosen),
    Escape: () => show([]),
    Enter: () => (input.value === `/${matches[chosen].command}` ? sendNow() : choose(chosen)),
  }

  const move = (step) => {
    chosen = (chosen + step + matches.length) % matches.length
    mark()
  }

  const sendNow = () => {
    show([])
    submit()
  }

  /** True when the key was the menu's. */
  const handleKey = (event) => {
    const act = keys[event.key]
    if (root.hidden || !act || event.shiftKey) return false
    event.preventDefault()
    act()
    return true
  }

  button.append(icon('menu'))
  button.addEventListener('click', () => {
    const wasOpen = !root.hidden
    input.focus()
    show(wasOpen ? [] : commands)
  })
  input.addEventListener('blur', () => setTimeout(() => document.activeElement !== input && show([]), 150))
  return {
    update,
    handleKey,
    setCommands(list) {
      commands = list
      button.hidden = list.length === 0
    },
  }
}
