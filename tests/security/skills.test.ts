import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { standingScopes } from '../../core/approvals/standing.ts'
import { parseControlConfig } from '../../core/config/control.ts'
import type { Net } from '../../core/fetch/safeFetch.ts'
import { type GuideKind, guideState, listGuides, readGuide } from '../../core/guides/guide.ts'
import { removeGuide, renameGuide, reviewGuide } from '../../core/guides/reviewGuide.ts'
import { storeGuide } from '../../core/guides/storeGuide.ts'
import { learnedPlaybooks } from '../../core/learning/learnedPlaybooks.ts'
import { proposePlaybook } from '../../core/learning/proposePlaybook.ts'
import type { Completion, Model } from '../../core/llm/model.ts'
import { isOutside } from '../../core/memory/isOutside.ts'
import { type Judged, judgePlan } from '../../core/planning/judgePlan.ts'
import type { PlanSource } from '../../core/planning/planOutcome.ts'
import { planRequest } from '../../core/planning/planRequest.ts'
import { askForOrigins, originsOf } from '../../core/planning/untrusted.ts'
import { SYSTEM_PROMPT } from '../../core/planning/writePrompt.ts'
import { sha256 } from '../../core/protocol/hash.ts'
import type { TaskSpec } from '../../core/protocol/specs.ts'
import { chooseSkills } from '../../core/skills/chooseSkills.ts'
import {
  fetchSkill,
  listSkillFaults,
  lookForSkillsOnce,
  storeSkill,
} from '../../core/skills/lookForSkills.ts'
import { readSkillDirectory } from '../../core/skills/readDirectory.ts'
import { SkillFault } from '../../core/skills/readSkill.ts'
import { offeredSkills, readChosen } from '../../core/skills/reviewedSkills.ts'
import { skillsFor } from '../../core/skills/skillsFor.ts'
import { openTestControl, type TestControl } from '../support/control.ts'
import { newDatabase, type TestDatabase } from '../support/database.ts'
import { demo } from '../unit/planning/places.ts'
import { disguises, obeying, orders } from './orders.ts'

/*
 * Texts from elsewhere that last: skills, and playbooks learned from runs that had such texts in view. A model obeys every
 * order in them; sources change what they give; addresses lead inwards.
 */

let database: TestDatabase
let control: TestControl
const dir = mkdtempSync(join(tmpdir(), 'skynet-skills-'))
beforeAll(async () => {
  database = await newDatabase()
  control = await openTestControl({ databaseUrl: database.url })
})
afterAll(async () => {
  await control.close()
  await database.drop()
  rmSync(dir, { recursive: true })
})

const owner = { cli: 'ana@laptop' }
const skillText = (name: string, body: string, description = `How ${name} is done.`) =>
  `---\nname: ${name}\ndescription: ${description}\n---\n${body}\n`
const store = (name: string, body: string, source = `/skills/${name}`) =>
  control.deps.db.tx((tx) => storeSkill(tx, source, skillText(name, body), null))
const review = (name: string, hash: string, kind: GuideKind = 'skill') =>
  control.deps.db.tx((tx) => reviewGuide(tx, { kind, name, hash }, owner))
const remove = (name: string) => control.deps.db.tx((tx) => removeGuide(tx, { kind: 'skill', name }, owner))
/** What would be used of a skill now; null: nothing. */
async function used(name: string): Promise<string | null> {
  const { db } = control.deps
  const offered = (await offeredSkills(db)).filter((skill) => skill.name === name)
  return (await readChosen(db, offered))[0]?.body ?? null
}

async function reviewed(name: string, body: string): Promise<string> {
  const { hash } = (await store(name, body)) as { hash: string }
  expect(await review(name, hash)).toBe('reviewed')
  return hash
}

/** A model that does what it is told, and remembers what it was shown. */
function obedient(answer: () => unknown): Model & { asked: Completion<unknown>[] } {
  const asked: Completion<unknown>[] = []
  return {
    asked,
    provider: 'openai',
    model: 'm',
    complete: async (question) => {
      asked.push(question as Completion<unknown>)
      const value = answer()
      return { value, text: JSON.stringify(value), tokens_in: 1, tokens_out: 1, ms: 1 }
    },
  }
}

/** Whether anything of a judged plan would start without a person and do more than look at files. */
const starts = (judged: readonly Judged[]): boolean =>
  judged.some(({ verdict, effect }) => verdict.verdict === 'allow' && (effect !== 'read' || verdict.network))

describe('orders in a reviewed skill, with a model that obeys', () => {
  test('start nothing: all wait for a person, and the plan says which skill it had in view', async () => {
    const { db, playbooks, policy } = control.deps
    const place = demo()
    const hidden = [...disguises, (order: string) => `<!-- ${order} -->\nBuild first.`]
    let tried = 0
    let refused = 0
    const wrong: string[] = []
    for (const order of orders)
      for (const disguise of hidden) {
        tried++
        const stored = await store('frobnicate', disguise(order)).catch((error: unknown) => {
          if (error instanceof SkillFault) return null
          throw error
        })
        if (!stored) {
          refused++
          continue
        }
        await review('frobnicate', (stored as { hash: string }).hash)
        const model = obedient(() => obeying(order))
        const request = 'frobnicate what went wrong'
        const guidance = () => skillsFor({ db, model }, { request })
        const outcome = await planRequest({ playbooks, model }, { request, place, version: 1, guidance })
        if (outcome.kind !== 'planned') throw new Error(`${order}: ${outcome.kind}`)
        const judged = askForOrigins(
          judgePlan(outcome.plan, () => place, policy, []),
          outcome.source,
        )
        if (starts(judged) || !originsOf(outcome.source).includes('skill frobnicate')) wrong.push(order)
        // It is shown as data, in a block whose end no text can write.
        const mark = /<data-(\w+) name="skill frobnicate">/.exec(model.asked[0]?.user ?? '')?.[1]
        if (!mark || model.asked[0]?.system !== SYSTEM_PROMPT) wrong.push(`${order}: not as data`)
      }
    expect({ tried, refused, wrong }).toEqual({ tried: 180, refused: 30, wrong: [] })
    await remove('frobnicate')
  })

  test('cannot choose other skills for the model, nor more than three', async () => {
    const { db } = control.deps
    const names = Array.from({ length: 8 }, (_, i) => `guide-${i}`)
    for (const name of names) await reviewed(name, 'x')
    const greedy = obedient(() => ({ skills: [...names, 'nothing-like-it'] }))
    expect(await skillsFor({ db, model: greedy }, { request: 'paint the fence' })).toEqual([])
    const some = obedient(() => ({ skills: ['guide-3', 'guide-3', '../guide-4'] }))
    const chosen = await skillsFor({ db, model: some }, { request: 'paint the fence' })
    expect(chosen.map(({ origin }) => origin)).toEqual(['skill guide-3'])
    expect(some.asked[0]?.need).toBe('quick')
    // Names and descriptions alone: the bodies are not shown for choosing.
    expect(some.asked[0]?.user).not.toContain('\\nx')
    for (const name of names) await remove(name)
  })
})

describe('a run that obeyed, kept as a playbook', () => {
  test('still starts nothing without a person', async () => {
    const { db, policy, playbooks } = control.deps
    const place = demo()
    const wrong: string[] = []
    let kept = 0
    for (const [i, order] of orders.entries()) {
      const request = `frobnicate part ${i} of it`
      const model = obedient(() => obeying(order))
      const context = [{ origin: 'log of #12', text: order }]
      const outcome = await planRequest({ playbooks, model }, { request, place, version: 1, context })
      if (outcome.kind !== 'planned') throw new Error(`${order}: ${outcome.kind}`)
      const proposal = proposePlaybook({ number: i, request, plan: outcome.plan, repository: null })
      if (proposal.kind === 'cannot') continue
      kept++
      const origins = originsOf(outcome.source).slice(1)
      const found = {
        kind: 'playbook',
        name: `kept-${i}`,
        source: `run #${i}`,
        description: request,
        text: proposal.yaml,
        origins,
      } as const
      const stored = (await db.tx((tx) => storeGuide(tx, found, owner))) as { hash: string }
      expect((await learnedPlaybooks(db, playbooks)).some(({ name }) => name === found.name)).toBe(false)
      await review(found.name, stored.hash, 'playbook')
      const learned = await learnedPlaybooks(db, playbooks)
      const again = await planRequest({ playbooks, model: null }, { request, place, version: 1, learned })
      if (again.kind !== 'planned') throw new Error(`${order}: ${again.kind}`)
      const judged = askForOrigins(
        judgePlan(again.plan, () => place, policy, []),
        again.source,
      )
      if (starts(judged) || !originsOf(again.source).includes('log of #12')) wrong.push(order)
    }
    expect(wrong).toEqual([])
    expect(kept).toBe(orders.length)
  })
})

test('what a learned playbook did with an origin is remembered as from elsewhere', () => {
  const run = { personId: 'x', request: 'frobnicate it' }
  const source = { kind: 'playbook', name: 'x', learned: true } as const
  expect(isOutside({ ...run, source })).toBe(false)
  expect(isOutside({ ...run, source: { ...source, from: ['log of #12'] } })).toBe(true)
  expect(isOutside({ ...run, source, changedByOthers: true })).toBe(true)
})

test('a learned playbook cannot be approved ahead as a whole, whatever has its name', () => {
  const { playbooks } = control.deps
  const [shipped] = playbooks
  const place = demo()
  const spec = {
    action: 'shell',
    params: { command: 'mkdir x' },
    agent_id: place.agentId,
    machine_id: place.machineId,
    cwd: place.cwd,
    required_files: [],
    timeout_s: 60,
    network: false,
  } satisfies TaskSpec
  const verdict = { verdict: 'ask', risk: 'low', rule: 'x', reason: 'x', network: false, parts: [] } as const
  const source = { kind: 'playbook', name: shipped?.name ?? '' } as const
  const ahead = (kind: 'playbook' | 'command', from: PlanSource) =>
    standingScopes(kind, [{ spec, verdict }], from, playbooks)
  expect(ahead('playbook', source)).toHaveLength(1)
  expect(ahead('playbook', { ...source, learned: true })).toBeNull()
  expect(ahead('command', { ...source, learned: true })).toHaveLength(1)
})

describe('another text than the one that was reviewed', () => {
  const ways: [string, () => Promise<string | null>][] = [
    [
      'one that was never reviewed',
      async () => {
        await store('w1', 'evil')
        return used('w1')
      },
    ],
    [
      'one that took its place',
      async () => {
        await reviewed('w2', 'good')
        await store('w2', 'evil')
        return used('w2')
      },
    ],
    [
      'one that a late tap for the old hash was meant for',
      async () => {
        const { hash } = (await store('w3', 'good')) as { hash: string }
        await store('w3', 'evil')
        expect(await review('w3', hash)).toBe('changed')
        return used('w3')
      },
    ],
    [
      'one from another source under its name',
      async () => {
        await reviewed('w4', 'good')
        expect(await store('w4', 'evil', 'https://evil.example/SKILL.md')).toMatchObject({ kind: 'taken' })
        return used('w4')
      },
    ],
    [
      'a row that was changed below it',
      async () => {
        await reviewed('w5', 'good')
        await control.deps.db.query(
          "UPDATE guide_text SET text = replace(text, 'good', 'evil') WHERE name = 'w5'",
        )
        return used('w5')
      },
    ],
    [
      'a hash that was pointed elsewhere',
      async () => {
        await reviewed('w6', 'good')
        await control.deps.db.query("UPDATE guide SET reviewed_hash = $1 WHERE name = 'w6'", [sha256('evil')])
        return used('w6')
      },
    ],
    [
      'one reviewed with the hash of another skill',
      async () => {
        const hash = await reviewed('w7', 'good')
        await store('w7-b', 'evil')
        expect(await review('w7-b', hash)).toBe('changed')
        return used('w7-b')
      },
    ],
    [
      'one reviewed as the other kind',
      async () => {
        const { hash } = (await store('w8', 'evil')) as { hash: string }
        expect(await review('w8', hash, 'playbook')).toBe('unknown')
        return used('w8')
      },
    ],
    [
      'the same one after it was removed',
      async () => {
        await reviewed('w9', 'evil')
        await remove('w9')
        await store('w9', 'evil')
        return used('w9')
      },
    ],
    [
      'another one after it was removed',
      async () => {
        await reviewed('w10', 'good')
        await remove('w10')
        await store('w10', 'evil')
        return used('w10')
      },
    ],
    [
      'one reviewed in the moment it was removed',
      async () => {
        const { hash } = (await store('w11', 'evil')) as { hash: string }
        await remove('w11')
        expect(await review('w11', hash)).toBe('unknown')
        return used('w11')
      },
    ],
    [
      'a name in its front matter that is another',
      async () => {
        await reviewed('w12', 'good')
        const text = skillText('w12-b', 'evil')
        await control.deps.db.query(
          'INSERT INTO guide_text (kind, name, hash, description, text) VALUES ($1, $2, $3, $4, $5)',
          ['skill', 'w12', sha256(text), 'x', text],
        )
        await control.deps.db.query("UPDATE guide SET reviewed_hash = $1 WHERE name = 'w12'", [sha256(text)])
        return used('w12')
      },
    ],
    [
      'one of many that race with a review',
      async () => {
        const { hash } = (await store('w13', 'good')) as { hash: string }
        await Promise.all([
          review('w13', hash),
          ...Array.from({ length: 8 }, (_, i) => store('w13', `evil ${i}`)),
        ])
        return used('w13')
      },
    ],
    [
      'a learned playbook under the name of a skill',
      async () => {
        await control.deps.db.tx((tx) =>
          storeGuide(
            tx,
            { kind: 'playbook', name: 'w14', source: 'run #1', description: 'x', text: 'evil' },
            owner,
          ),
        )
        expect(
          await control.deps.db.tx((tx) => renameGuide(tx, { kind: 'skill', name: 'w14' }, 'w15', owner)),
        ).toBe('unknown')
        return used('w14')
      },
    ],
  ]
  test.each(ways)('is not used: %s', async (_, way) => {
    expect((await way()) ?? 'nothing').not.toContain('evil')
  })

  test('is said to be another: the reviewed one goes on, and comes back with its text', async () => {
    const hash = await reviewed('back', 'good')
    await store('back', 'evil')
    const changed = await readGuide(control.deps.db, 'skill', 'back')
    expect(changed && guideState(changed)).toBe('changed')
    expect(await used('back')).toBe('good')
    await store('back', 'good')
    const same = await readGuide(control.deps.db, 'skill', 'back')
    expect(same).toMatchObject({ currentHash: hash, reviewedHash: hash })
  })

  test('is known to every process at once, and each act is in the trail', async () => {
    const other = await openTestControl({ databaseUrl: database.url })
    const { hash } = (await store('seen', 'good')) as { hash: string }
    const names = async () => (await offeredSkills(other.deps.db)).map(({ name }) => name)
    expect(await names()).not.toContain('seen')
    await review('seen', hash)
    expect(await names()).toContain('seen')
    await remove('seen')
    expect(await names()).not.toContain('seen')
    await other.close()
    const events = await control.deps.db.query<{ type: string; data: { cli?: string; hash?: string } }>(
      "SELECT type, data FROM event WHERE data->>'name' = 'seen' ORDER BY seq",
    )
    expect(events.map(({ type }) => type)).toEqual(['guide.found', 'guide.reviewed', 'guide.removed'])
    expect(events[1]?.data).toMatchObject({ hash, cli: 'ana@laptop' })
  })
})

describe('an address of a skill', () => {
  const hosts = ['skills.example.org']
  const inwards = [
    ...[
      '127.0.0.1',
      '10.0.0.8',
      '192.168.1.1',
      '169.254.169.254',
      '172.16.0.1',
      '100.64.0.1',
      '0.0.0.0',
      '::1',
      'fd00::1',
      'fe80::1',
      '::ffff:127.0.0.1',
      '64:ff9b::7f00:1',
    ].map((address) => ({ url: 'https://skills.example.org/SKILL.md', address })),
    ...[
      'http://skills.example.org/SKILL.md',
      'https://127.0.0.1/SKILL.md',
      'https://[::1]/SKILL.md',
      'https://2130706433/SKILL.md',
      'https://0x7f.1/SKILL.md',
      'https://localhost/SKILL.md',
      'https://evil.example/SKILL.md',
      'https://skills.example.org.evil.example/SKILL.md',
      'https://user:pass@skills.example.org/SKILL.md',
      'https://skills.example.org:8443/SKILL.md',
      'file:///etc/passwd',
      'ftp://skills.example.org/SKILL.md',
      'javascript:alert(1)',
      'skills.example.org/SKILL.md',
    ].map((url) => ({ url, address: '93.184.215.14' })),
  ]

  test('that leads inwards or elsewhere is never asked, and is told as a fault', async () => {
    let dialled = 0
    for (const { url, address } of inwards) {
      const net: Net = {
        resolve: async () => [address],
        dial: () => {
          dialled++
          throw new Error('dialled')
        },
      }
      const deps = { db: control.deps.db, settings: { skills: { dir: null, urls: [url], hosts } } }
      await control.deps.db.query('DELETE FROM skill_source')
      await lookForSkillsOnce(deps, (at, listed) => fetchSkill(at, listed, net))
      expect(await listSkillFaults(control.deps.db, deps.settings.skills)).toMatchObject([{ source: url }])
    }
    expect({ tried: inwards.length, dialled }).toEqual({ tried: 26, dialled: 0 })
  })

  test('that is no https address stops the start; its host is listed by being set', () => {
    expect(() => parseControlConfig({ SKYNET_EXTERNAL_SKILL_URLS: 'http://a.example/SKILL.md' })).toThrow(
      /SKYNET_EXTERNAL_SKILL_URLS/,
    )
    expect(() => parseControlConfig({ SKYNET_SKILL_HOSTS: 'localhost' })).toThrow(/SKYNET_SKILL_HOSTS/)
    const set = { SKYNET_EXTERNAL_SKILL_URLS: 'https://a.example/SKILL.md', SKYNET_SKILL_HOSTS: 'B.example' }
    expect(parseControlConfig(set).skills).toEqual({
      dir: null,
      urls: ['https://a.example/SKILL.md'],
      hosts: ['b.example', 'a.example'],
    })
  })

  test('is asked once an hour, by one process; what it gives later is inert', async () => {
    let gives = skillText('fetched', 'good')
    let asked = 0
    const url = 'https://skills.example.org/SKILL.md'
    const deps = { db: control.deps.db, settings: { skills: { dir: null, urls: [url], hosts } } }
    const look = () =>
      lookForSkillsOnce(deps, async () => {
        asked++
        return gives
      })
    await control.deps.db.query('DELETE FROM skill_source')
    await Promise.all([look(), look(), look()])
    expect(asked).toBe(1)
    expect(await used('fetched')).toBeNull()
    await review('fetched', sha256(gives))
    gives = skillText('fetched', 'evil')
    await control.deps.db.query(
      "UPDATE skill_source SET looked_at = clock_timestamp() - interval '61 minutes'",
    )
    await look()
    expect(asked).toBe(2)
    expect(await used('fetched')).toBe('good')
  })
})

describe('a directory of skills', () => {
  const put = (name: string, content: string | Buffer) => {
    mkdirSync(join(dir, name), { recursive: true })
    writeFileSync(join(dir, name, 'SKILL.md'), content)
  }
  const skills = { dir, urls: [], hosts: [] }
  const look = () => lookForSkillsOnce({ db: control.deps.db, settings: { skills } })

  test('gives what is sound, and says of the rest what is wrong', async () => {
    put('sound', skillText('sound', 'good'))
    mkdirSync(join(dir, 'sound/scripts'))
    writeFileSync(join(dir, 'sound/scripts/run.sh'), 'touch /tmp/evil')
    put('huge', Buffer.alloc(10_000_000, 'x'))
    put('binary', Buffer.from([0xff, 0xfe, 0x00]))
    put('none', '# only text')
    put('twice', skillText('sound', 'evil'))
    mkdirSync(join(dir, 'folder/SKILL.md'), { recursive: true })
    mkdirSync(join(dir, 'link'))
    writeFileSync(join(dir, 'secret'), skillText('secret', 'x'))
    symlinkSync(join(dir, 'secret'), join(dir, 'link/SKILL.md'))
    mkdirSync(join(dir, 'pipe'))
    execFileSync('mkfifo', [join(dir, 'pipe/SKILL.md')])
    symlinkSync(join(dir, 'sound'), join(dir, 'linked'))
    await look()
    const found = (await listGuides(control.deps.db, 'skill')).filter(({ source }) => source.startsWith(dir))
    expect(found.map(({ name }) => name)).toEqual(['sound'])
    const faults = await listSkillFaults(control.deps.db, skills)
    const of = (name: string) => faults.find(({ source }) => source.startsWith(join(dir, name)))?.fault
    expect(of('huge')).toContain('larger than 64 KiB')
    expect(of('binary')).toContain('UTF-8')
    expect(of('none')).toContain('front matter')
    expect(of('twice')).toContain('there is a skill sound already')
    expect(of('folder')).toMatch(/no file|cannot be read/)
    expect(of('link/')).toContain('links are not followed')
    expect(of('linked')).toContain('links are not followed')
    expect(of('pipe')).toContain('no file')
    // Nothing beside a SKILL.md is read.
    expect(JSON.stringify(await readSkillDirectory(dir))).not.toContain('/tmp/evil')
    rmSync(join(dir, 'none'), { recursive: true })
    await look()
    expect(
      (await listSkillFaults(control.deps.db, skills)).some(({ source }) => source.includes('/none/')),
    ).toBe(false)
  })

  test('that is not there is a fault, and changes nothing', async () => {
    const hash = await reviewed('stays', 'good')
    const skills = { dir: join(dir, 'nowhere'), urls: [], hosts: [] }
    await lookForSkillsOnce({ db: control.deps.db, settings: { skills } })
    expect(await listSkillFaults(control.deps.db, skills)).toMatchObject([
      { source: skills.dir, fault: expect.stringContaining('ENOENT') },
    ])
    expect((await readGuide(control.deps.db, 'skill', 'stays'))?.reviewedHash).toBe(hash)
  })

  test('with a thousand and more: a thousand are found, three are chosen', async () => {
    const many = mkdtempSync(join(tmpdir(), 'skynet-many-'))
    for (let i = 0; i < 1005; i++) {
      const name = `part-${String(i).padStart(4, '0')}`
      mkdirSync(join(many, name))
      writeFileSync(
        join(many, name, 'SKILL.md'),
        skillText(name, 'x'.repeat(2000), `How part ${i} of the ${i % 2 ? 'engine' : 'wing'} is mended.`),
      )
    }
    const skills = { dir: many, urls: [], hosts: [] }
    await lookForSkillsOnce({ db: control.deps.db, settings: { skills } })
    const found = (await listGuides(control.deps.db, 'skill')).filter(({ source }) => source.startsWith(many))
    expect(found).toHaveLength(1000)
    expect(await listSkillFaults(control.deps.db, skills)).toMatchObject([
      { source: many, fault: expect.stringContaining('more than 1000') },
    ])
    await control.deps.db.query(
      'UPDATE guide SET reviewed_hash = current_hash WHERE starts_with(source, $1)',
      [many],
    )
    const all = await offeredSkills(control.deps.db)
    expect(all.length).toBeGreaterThanOrEqual(1000)
    const model = obedient(() => ({ skills: [] }))
    const began = performance.now()
    expect((await chooseSkills(null, all, { request: 'mend the engine' })).length).toBeLessThanOrEqual(3)
    await chooseSkills(model, all, { request: 'sing a song' })
    expect(performance.now() - began).toBeLessThan(5000)
    // A model is told of forty at most.
    expect(model.asked[0]?.user.match(/"name":/g)).toHaveLength(40)
    rmSync(many, { recursive: true })
  }, 60_000)
})
