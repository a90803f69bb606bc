import { createHash } from 'node:crypto'

export const docsStyle = `
:root { color-scheme: light dark; --line: light-dark(#d6d9de, #3a3f47); --soft: light-dark(#f4f5f7, #1d2025); --quiet: light-dark(#555c66, #a3abb6); --link: light-dark(#0b57a4, #7db7f0) }
* { box-sizing: border-box }
body { margin: 0 auto; max-width: 60rem; padding: 1.5rem 1rem 4rem; font: 1rem/1.5 system-ui, sans-serif; background: light-dark(#fff, #14161a); color: light-dark(#1a1d21, #e6e8eb) }
a { color: var(--link) }
code, pre { font: .875rem/1.45 ui-monospace, monospace }
pre { background: var(--soft); border: 1px solid var(--line); border-radius: .4rem; padding: .7rem; overflow-x: auto } pre.line { white-space: pre-wrap; overflow-wrap: anywhere }
nav ul { list-style: none; padding: 0; columns: 20rem } nav li { break-inside: avoid; padding: .1rem 0 }
section { border-top: 1px solid var(--line); margin-top: 1.5rem; padding-top: .5rem }
h2 { font-size: 1.05rem; font-family: ui-monospace, monospace; overflow-wrap: anywhere }
h3 { font-size: .95rem; margin-bottom: .3rem } summary { cursor: pointer } .quiet { color: var(--quiet) }
table { border-collapse: collapse; width: 100% } td, th { text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); padding: .25rem .6rem .25rem 0 }
`

/** What the page's policy names, so that no other style works on it. */
export const docsStyleHash = `sha256-${createHash('sha256').update(docsStyle).digest('base64')}`
