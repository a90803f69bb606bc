import type { ProviderName } from '../../core/config/model.ts'

const keys: Record<ProviderName, string> = {
  gemini: 'GOOGLE_AI_API_KEY',
  groq: 'GROQ_API_KEY',
  openrouter: 'OPENROUTER_API_KEY',
  deepseek: 'DEEPSEEK_API_KEY',
  openai: 'OPENAI_API_KEY',
  claude: 'ANTHROPIC_API_KEY',
  ollama: 'OLLAMA_BASE_URL',
}

/** The settings by which a provider takes part, at an address of a test. */
export const providerEnv = (provider: ProviderName, url: string): Record<string, string> => ({
  [`${provider.toUpperCase()}_BASE_URL`]: url,
  [keys[provider]]: provider === 'ollama' ? url : `key-of-${provider}-0123456789`,
})
