import { parse } from 'unbash'
import { describeCommand } from '../describe/describeCommand.ts'
import type { Fact, Finding, Invocation } from '../facts.ts'
import type { PolicyContext } from '../verdict.ts'
import { checkText, plainForm } from './checkText.ts'
import { HOLES } from './marks.ts'
import { bindArguments, initialState, type ShellState, unite } from './state.ts'
import type { Walk } from './walk.ts'
import { steps, walkScript } from './walkScript.ts'

const maxCommands = 2000
const maxNesting = 8
const brokenWord = /\S\\\r?\n/
/** Characters that are read: four messages of a chat. What is longer asks, with what was read of it. */
const maxLength = 16_384

/**
 * Finds what a command line for `sh -c` does: a finding for every simple command in it, in order of appearance.
 * Text that cannot be read as shell gives findings that say so.
 */
export function readShell(
  text: string,
  context: PolicyContext,
  options: { shell?: 'sh' | 'bash'; args?: readonly string[] } = {},
): Finding[] {
  const odd = checkText(text)
  const findings: Finding[] = odd.length > 0 ? [{ text: text.slice(0, 400), facts: odd }] : []
  const walk = startWalk(context, options.shell ?? 'sh', findings)
  readInto(walk, withoutMarks(text), initialState(context.cwd, context.home, options.args ?? null))
  if (odd.length > 0 || brokenWord.test(text)) readPlainForm(plainForm(text), context, findings)
  return findings
}

function startWalk(context: PolicyContext, shell: 'sh' | 'bash', findings: Finding[]): Walk {
  return {
    context,
    shell,
    findings,
    budget: { left: maxCommands },
    describe: describeCommand,
    runText: (walk, state) => runNested(walk, state, 1),
    calling: [],
    steps,
  }
}

function readInto(walk: Walk, text: string, state: ShellState): void {
  if (text.length > maxLength)
    walk.findings.push({ text: text.slice(0, 200), facts: [{ effect: 'shell.too-long' }] })
  // A line that goes on in the middle of a word (`$\` and `{X}`) is joined by the shell, not by the parser.
  if (brokenWord.test(text))
    walk.findings.push({ text: text.slice(0, 200), facts: [{ effect: 'shell.broken-word' }] })
  // `$${X}` is a number and a brace for the shell, and a variable for the parser.
  if (/\$[$#?!@*-]\{/.test(text))
    walk.findings.push({ text: text.slice(0, 200), facts: [{ effect: 'shell.not-understood' }] })
  walkScript(walk, parse(text.slice(0, maxLength)), text, state)
  if (walk.budget.left < 0)
    walk.findings.push({ text: text.slice(0, 200), facts: [{ effect: 'shell.too-long' }] })
}

/** The characters that stand for unknown pieces must not come in from outside. */
function withoutMarks(text: string): string {
  return text.replace(/[\u0000-\u0007]/g, '')
}

/** Only the floor is taken from the plain form: it tells what a masked command was meant to do. */
function readPlainForm(text: string, context: PolicyContext, findings: Finding[]): void {
  const meant: Finding[] = []
  readInto(startWalk(context, 'sh', meant), withoutMarks(text), initialState(context.cwd, context.home))
  findings.push(...meant)
}

/** How a command hands text on to a shell: `sh -c`, `eval`, here-documents into a shell. */
function runNested(walk: Walk, state: ShellState, nesting: number): Invocation['runText'] {
  return (text, options) => {
    if (nesting > maxNesting) return [{ effect: 'shell.too-deep' }]
    const findings: Finding[] = []
    const inner: Walk = {
      ...walk,
      findings,
      shell: options.shell ?? walk.shell,
      runText: (next, nextState) => runNested(next, nextState, nesting + 1),
    }
    readInto(inner, text, options.sameShell ? state : childState(state, options.words ?? []))
    if (!options.quiet) walk.findings.push(...findings)
    return findings.flatMap((finding): readonly Fact[] => finding.facts)
  }
}

/** Another shell sees only what was exported: a variable may keep its value or be unset. */
function childState(state: ShellState, words: readonly string[]): ShellState {
  const child = initialState(null, '')
  for (const [name, values] of state.vars)
    child.vars.set(name, name === 'HOME' ? values : unite(values, [HOLES]))
  if (words.length > 0) bindArguments(child.vars, words.slice(1))
  if (words[0] !== undefined) child.vars.set('0', [words[0]])
  return { ...child, cwds: state.cwds }
}
