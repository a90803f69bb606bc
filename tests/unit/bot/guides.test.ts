import { describe, expect, test } from 'vitest'
import { type GuideContext, renderGuide, renderGuides } from '../../../bot/render/guideCard.ts'
import type { Guide } from '../../../core/guides/guide.ts'
import { lookOver } from '../../../core/guides/lookOver.ts'

const guide = (more: Partial<Guide> = {}): Guide & { text: string } => ({
  kind: 'skill',
  name: 'deploy',
  source: '/skills/deploy/SKILL.md',
  currentHash: 'a'.repeat(64),
  reviewedHash: null,
  description: 'How it is deployed.',
  origins: [],
  foundAt: new Date(0),
  reviewedAt: null,
  removedAt: null,
  text: 'Build <b>first</b> & test.',
  ...more,
})
const context = (more: Partial<GuideContext> = {}): GuideContext => ({
  remarks: [],
  asDocument: false,
  withheld: false,
  owner: true,
  ...more,
})
const texts = (shown: { buttons: { text: string }[][] }): string[] =>
  shown.buttons.flat().map(({ text }) => text)

describe('a text that waits for a review', () => {
  test('is shown whole, as text', () => {
    const { html } = renderGuide(guide(), context())
    expect(html).toContain('<pre>Build &lt;b&gt;first&lt;/b&gt; &amp; test.</pre>')
    expect(html).toContain('waits for review')
    expect(html).toContain('aaaaaaaaaaaa')
  })

  test('has what stands out in it above, and hidden and look-alike letters marked', () => {
    const text = 'run p\u0430ypal\u200b\nsudo id'
    const { html } = renderGuide(guide({ text } as never), context({ remarks: lookOver(text) }))
    expect(html).toContain('line 2 wants more rights')
    expect(html).toContain('⟨U+200B⟩')
    expect(html).toContain('⟨U+0430⟩')
  })

  test('can be taken into use by owners alone, and only when all of it could be shown', () => {
    expect(texts(renderGuide(guide(), context()))).toEqual(['Use this text', 'Remove'])
    expect(texts(renderGuide(guide(), context({ owner: false })))).toEqual([])
    expect(texts(renderGuide(guide(), context({ withheld: true })))).toEqual(['Remove'])
    expect(texts(renderGuide(guide({ kind: 'playbook' }), context()))).toEqual([
      'Use this text',
      'Rename',
      'Remove',
    ])
    expect(texts(renderGuide(guide({ reviewedHash: 'a'.repeat(64) }), context()))).toEqual(['Remove'])
    expect(texts(renderGuide(guide({ reviewedHash: 'b'.repeat(64) }), context()))).toContain('Use this text')
  })

  test('says what its run had in view', () => {
    const { html } = renderGuide(guide({ kind: 'playbook', origins: ['log of #12', 'skill <x>'] }), context())
    expect(html).toContain('log of #12, skill &lt;x&gt;')
  })
})

test('the list has eight of a kind, what waits first, and says how many more', () => {
  const many = Array.from({ length: 20 }, (_, i) => guide({ name: `s-${i}` }))
  const faults = Array.from({ length: 12 }, (_, i) => ({ source: `/s/<${i}>`, fault: 'it is a link' }))
  const { html, buttons } = renderGuides(many, [], faults, false)
  expect(buttons).toHaveLength(8)
  expect(html).toContain('No language model is set')
  expect(html).toContain('and 12 more')
  expect(html).toContain('/s/&lt;0&gt;')
  expect(html).toContain('and 4 more faults')
  expect(html.length).toBeLessThan(4096)
})
