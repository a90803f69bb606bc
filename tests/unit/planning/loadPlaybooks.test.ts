import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { loadPlaybooks, PlaybookError, readPlaybook } from '../../../core/planning/loadPlaybooks.ts'
import { planRequest } from '../../../core/planning/planRequest.ts'
import { place } from './places.ts'

const good = `
name: deploy-site
title: Deploy the site
description: Sends the site to a target.
triggers: ["deploy [to] {target}"]
parameters:
  target: { type: enum, values: [staging, live] }
summary: Deploy to {{target}}
tasks:
  - { key: go, title: Deploy, action: shell, params: { command: "npm run deploy -- {{target}}" }, network: true }
examples: { match: [deploy to staging], not_match: [deploy to mars] }
`
const made: string[] = []
afterEach(async () => {
  await Promise.all(made.splice(0).map((dir) => rm(dir, { recursive: true, force: true })))
})

async function dirWith(files: Record<string, string>): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'playbooks-'))
  made.push(dir)
  await Promise.all(Object.entries(files).map(([name, text]) => writeFile(join(dir, name), text)))
  return dir
}

const faultOf = (text: string): string => {
  try {
    readPlaybook('x.yaml', text, true)
    return 'no fault'
  } catch (error) {
    expect(error).toBeInstanceOf(PlaybookError)
    return error instanceof Error ? error.message : ''
  }
}

describe('loading playbooks', () => {
  test('adds those of a directory to the built-in ones and lets them go first', async () => {
    const mine = good
      .replace('deploy-site', 'run-tests')
      .replace('"deploy [to] {target}"', '"deploy [to] {target}", "show (notes.txt|diff) {target}"')
      .replace('[deploy to staging]', '[deploy to staging, show diff live]')
    const playbooks = await loadPlaybooks(
      await dirWith({ 'a.yaml': mine, 'b.yml': good, 'notes.txt': 'not read' }),
    )
    const names = playbooks.map((p) => p.name)
    expect(names.slice(0, 2)).toEqual(['run-tests', 'deploy-site'])
    expect(names.filter((n) => n === 'run-tests')).toHaveLength(1)
    expect(names).toContain('repo-status')
    const outcome = await planRequest(
      { playbooks, model: null },
      { request: 'Deploy to LIVE!', place: place(), version: 3 },
    )
    expect(outcome).toMatchObject({
      kind: 'planned',
      plan: { version: 3, tasks: [{ spec: { params: { command: 'npm run deploy -- live' } } }] },
    })
  })

  test.each([
    ['a field that is missing', good.replace('title: Deploy the site\n', ''), /^x\.yaml: title: /],
    ['a field too many', `${good}\nextra: 1`, /^x\.yaml: .*extra/],
    ['text that is no YAML', 'name: [', /^x\.yaml: not YAML: /],
    ['nothing', '', /^x\.yaml: /],
    [
      'an unknown action',
      good.replace('action: shell', 'action: format_disk'),
      /^x\.yaml: tasks\.0\.action: /,
    ],
    [
      'a parameter that does not fit the action',
      good.replace('params: { command:', 'params: { comand:'),
      /^x\.yaml: tasks\.0\.params.*: /,
    ],
    [
      'an unknown placeholder',
      good.replace('{{target}}"', '{{tarket}}"'),
      /^x\.yaml: tasks\.0: \{\{tarket\}\}/,
    ],
    [
      'a trigger with an unknown parameter',
      good.replace('[to] {target}', '[to] {goal}'),
      /^x\.yaml: triggers\.0: \{goal\}/,
    ],
    ['a broken trigger', good.replace('[to] {target}', '[to {target}'), /^x\.yaml: triggers\.0: brackets/],
    [
      'a broken regular expression',
      good.replace('"deploy [to] {target}"', '"/deploy (/"'),
      /^x\.yaml: triggers\.0: /,
    ],
    [
      'an example that no trigger fits',
      good.replace('[deploy to staging]', '[ship it]'),
      /^x\.yaml: examples\.match\.0: /,
    ],
    [
      'an example that a trigger should not fit',
      good.replace('deploy to mars', 'deploy live'),
      /^x\.yaml: examples\.not_match\.0: /,
    ],
    [
      'a default that does not fit',
      good.replace('values: [staging, live]', 'values: [staging, live], default: moon'),
      /^x\.yaml: parameters\.target\.default: /,
    ],
    [
      'a dependency on nothing',
      good.replace('network: true', 'depends_on: [build]'),
      /^x\.yaml: tasks: .*build/,
    ],
    [
      'a placeholder inside double quotes',
      good.replace('-- {{target}}"', '-- \\"{{target}}\\""'),
      /^x\.yaml: tasks\.0\.params\.command: /,
    ],
    [
      'a placeholder inside single quotes',
      good.replace('-- {{target}}"', "-- '{{target}}'\""),
      /^x\.yaml: tasks\.0\.params\.command: /,
    ],
    [
      'a placeholder in a comment',
      good.replace('-- {{target}}"', '# {{target}}"'),
      /^x\.yaml: tasks\.0\.params\.command: /,
    ],
    [
      'a placeholder that is the command',
      good.replace('npm run deploy -- {{target}}', '{{target}} --now'),
      /^x\.yaml: tasks\.0\.params\.command: .*runs what it gets/,
    ],
    [
      'a placeholder given to an interpreter',
      good.replace('npm run deploy -- {{target}}', 'sh -c {{target}}'),
      /^x\.yaml: tasks\.0\.params\.command: .*sh/,
    ],
    [
      'a placeholder given to eval',
      good.replace('npm run deploy -- {{target}}', 'true && eval {{target}}'),
      /^x\.yaml: tasks\.0\.params\.command: .*eval/,
    ],
    [
      'a placeholder in a here-document',
      good.replace('"npm run deploy -- {{target}}"', '"cat <<E\\n{{target}}\\nE\\n"'),
      /^x\.yaml: tasks\.0\.params\.command: /,
    ],
    [
      'a placeholder in program text',
      good.replace(
        'action: shell, params: { command: "npm run deploy -- {{target}}" }',
        'action: script, params: { interpreter: sh, body: "echo {{target}}" }',
      ),
      /^x\.yaml: tasks\.0\.params\.body: program text/,
    ],
  ])('says in one line what is wrong: %s', (_, text, line) => {
    const message = faultOf(text)
    expect(message).toMatch(line)
    expect(message).not.toContain('\n')
  })

  test('takes a good one', () => {
    expect(faultOf(good)).toBe('no fault')
  })

  test('refuses two of one name, and a directory that is not there', async () => {
    await expect(loadPlaybooks(await dirWith({ 'a.yaml': good, 'b.yaml': good }))).rejects.toThrow(
      /two playbooks are called deploy-site/,
    )
    await expect(loadPlaybooks('/nowhere/at/all')).rejects.toThrow(
      /^\/nowhere\/at\/all: SKYNET_PLAYBOOKS_DIR takes a directory/,
    )
  })
})
