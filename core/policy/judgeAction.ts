import type { ActionCall } from '../protocol/actions.ts'
import { argvFits } from '../protocol/plainArgv.ts'
import { applyRules } from './applyRules.ts'
import { pathFacts } from './describe/describeByTable.ts'
import { commandsInCode } from './describe/describeInterpreter.ts'
import { scanCode } from './describe/scanCode.ts'
import { type Fact, type Finding, type Invocation, noStdin } from './facts.ts'
import { isInside } from './paths/classifyPath.ts'
import { readPatchPaths } from './paths/readPatchPaths.ts'
import { resolvePath } from './paths/resolvePath.ts'
import type { Policy } from './policySchema.ts'
import type { Use } from './programs/program.ts'
import { readShell } from './shell/judgeShell.ts'
import { initialState } from './shell/state.ts'
import type { Part, PolicyContext } from './verdict.ts'
import { asPosix, readWindows } from './windows/readWindows.ts'

/** The parts of any call, each judged. Path traversal and odd characters are part of the judgement, not errors. */
export function judgeAction(call: ActionCall, context: PolicyContext, policy: Policy): Part[] {
  const parts = findAll(call, context).map((finding) => applyRules(finding, policy))
  return parts.filter((part, i) => parts.findIndex((other) => samePart(part, other)) === i)
}

function samePart(a: Part, b: Part): boolean {
  return a.text === b.text && a.rule === b.rule && a.verdict === b.verdict && a.network === b.network
}

function findAll(call: ActionCall, context: PolicyContext): Finding[] {
  switch (call.action) {
    case 'shell':
      if (!argvFits(call.params.command, call.params.argv))
        return [one(call.params.command, { effect: 'floor.other-command' })]
      return context.platform === 'win32'
        ? readWindows(call.params.command, context)
        : readShell(call.params.command, context)
    case 'script':
      return findInScript(call.params, context)
    case 'file_patch':
      return findInPatch(call.params.patch, context)
    case 'run_tests':
      return [
        one(`run tests (${call.params.tool})`, {
          program: call.params.tool,
          effect: 'code.run-project',
          network: true,
        }),
      ]
    case 'noop':
      return [one('noop', { program: 'noop', effect: 'info' })]
    default:
      return findInFiles(call, context)
  }
}

function one(text: string, ...facts: readonly Fact[]): Finding {
  return { text, facts }
}

function findInScript(
  params: Extract<ActionCall, { action: 'script' }>['params'],
  context: PolicyContext,
): Finding[] {
  const { interpreter, body, args } = params
  const text = `${interpreter} script`
  if (context.platform === 'win32')
    return [one(text, { effect: 'shell.windows' }, ...scanCode(body, context))]
  if (interpreter === 'sh' || interpreter === 'bash') {
    return [
      one(text, { program: interpreter, effect: 'code.script' }),
      ...readShell(body.replace(/\r\n/g, '\n'), context, { shell: interpreter, args: args ?? [] }),
    ]
  }
  const runText: Invocation['runText'] = (piece) =>
    readShell(piece, context).flatMap((finding) => finding.facts)
  return [
    one(
      text,
      { program: interpreter, effect: 'code.inline', network: true },
      ...scanCode(body, context),
      ...commandsInCode(body, { runText }),
    ),
  ]
}

function findInPatch(patch: string, context: PolicyContext): Finding[] {
  const paths = readPatchPaths(patch)
  if (paths === null || paths.length === 0)
    return [one('patch', { program: 'file_patch', effect: 'shell.not-understood' })]
  return paths.map((path) =>
    one(`patch ${path}`, ...escapeFacts(path), ...fileFacts('write', path, 'file_patch', context)),
  )
}

/** However many leading names the tool that applies it strips, `..` must not be there. */
function escapeFacts(path: string): Fact[] {
  return path.split(/[/\\]/).includes('..') || /^([/~\\]|[A-Za-z]:)/.test(path)
    ? [{ effect: 'floor.patch-escape' }]
    : []
}

function findInFiles(
  call: Extract<
    ActionCall,
    {
      action: 'file_read' | 'file_write' | 'file_list' | 'git_init' | 'git_status' | 'git_diff' | 'git_commit'
    }
  >,
  context: PolicyContext,
): Finding[] {
  switch (call.action) {
    case 'file_read':
      return [one(`read ${call.params.path}`, ...fileFacts('read', call.params.path, call.action, context))]
    case 'file_list':
      return [
        one(
          `list ${call.params.path ?? '.'}`,
          ...fileFacts('list', call.params.path ?? '.', call.action, context),
        ),
      ]
    case 'file_write':
      return [one(`write ${call.params.path}`, ...fileFacts('write', call.params.path, call.action, context))]
    case 'git_init':
      return [
        one(
          `git init ${call.params.path ?? '.'}`,
          { program: call.action, effect: 'git.init' },
          ...fileFacts('create', call.params.path ?? '.', call.action, context),
        ),
      ]
    case 'git_status':
      return [one('git status', { program: call.action, effect: 'git.read' })]
    case 'git_diff':
      return [
        one(
          'git diff',
          { program: call.action, effect: 'git.read' },
          ...(call.params.path === undefined
            ? []
            : fileFacts('read', call.params.path, call.action, context)),
        ),
      ]
    case 'git_commit':
      return [
        one(
          'git commit',
          { program: call.action, effect: 'git.change' },
          ...(call.params.paths ?? []).flatMap((path) => fileFacts('list', path, call.action, context)),
        ),
      ]
  }
}

/** A path of a file action: `~/` is the home, all else is literal. Outside the roots there are no file actions. */
function fileFacts(use: Use, path: string, action: string, given: PolicyContext): Fact[] {
  if (/[\u0000-\u001f\u007f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]/.test(path))
    return [{ program: action, effect: 'file.odd-path' }]
  const { context, local } = asPosix(given, path)
  const home = local === '~' || local.startsWith('~/') ? `${context.home}${local.slice(1)}` : local
  const invocation: Invocation = {
    argv: [action],
    state: initialState(context.cwd, context.home),
    stdin: noStdin,
    context,
    depth: 0,
    budget: { left: 1 },
    runText: () => [],
  }
  const outside = !isInside(resolvePath(home, context.cwd), context)
  return [
    ...(outside ? [{ program: action, effect: 'file.outside' }] : []),
    ...pathFacts(use, home, { program: action }, invocation),
  ]
}
