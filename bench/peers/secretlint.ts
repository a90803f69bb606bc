import { lintSource } from '@secretlint/core'
import { creator } from '@secretlint/secretlint-rule-preset-recommend'
import type { SecretFinder } from '../peers.ts'

const rules = [{ id: '@secretlint/secretlint-rule-preset-recommend', rule: creator }]

/** The recommended rules, as `secretlint` itself runs them over one text. */
export const findSecrets: SecretFinder = async (content) => {
  const { messages } = await lintSource({
    source: { content, filePath: 'output.log', ext: '.log', contentType: 'text' },
    options: { config: { rules }, noPhysicFilePath: true },
  })
  return messages.map(({ range }) => range)
}
